package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"

	hashicorp "github.com/hashicorp/yamux"
	libp2p "github.com/libp2p/go-yamux/v5"
	"github.com/xtaci/smux"
)

// session is what the cases need of a muxer.
type session interface {
	open() (net.Conn, error)
	accept() (net.Conn, error)
	io.Closer
}

// newSession puts a muxer on a connection: with its own defaults, but for limits on the number of streams.
func newSession(name string, conn net.Conn, client bool) (session, error) {
	switch name {
	case "go-yamux":
		config := libp2p.DefaultConfig()
		config.LogOutput = io.Discard
		config.MaxIncomingStreams = math.MaxUint32
		create := libp2p.Server
		if client {
			create = libp2p.Client
		}
		s, err := create(conn, config, nil)
		return goYamux{s}, err
	case "hashicorp":
		config := hashicorp.DefaultConfig()
		config.LogOutput = io.Discard
		create := hashicorp.Server
		if client {
			create = hashicorp.Client
		}
		s, err := create(conn, config)
		return hashicorpYamux{s}, err
	case "smux":
		create := smux.Server
		if client {
			create = smux.Client
		}
		s, err := create(conn, smux.DefaultConfig())
		return xtaciSmux{s}, err
	}
	return nil, fmt.Errorf("there is no muxer %s", name)
}

type goYamux struct{ *libp2p.Session }

func (s goYamux) open() (net.Conn, error)   { return s.OpenStream(context.Background()) }
func (s goYamux) accept() (net.Conn, error) { return s.AcceptStream() }

type hashicorpYamux struct{ *hashicorp.Session }

func (s hashicorpYamux) open() (net.Conn, error)   { return s.OpenStream() }
func (s hashicorpYamux) accept() (net.Conn, error) { return s.AcceptStream() }

type xtaciSmux struct{ *smux.Session }

func (s xtaciSmux) open() (net.Conn, error)   { return s.OpenStream() }
func (s xtaciSmux) accept() (net.Conn, error) { return s.AcceptStream() }
