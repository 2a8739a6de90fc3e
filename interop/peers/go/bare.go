package main

import (
	"context"
	"fmt"
	"io"
	"net"

	hashicorp "github.com/hashicorp/yamux"
	multiplex "github.com/libp2p/go-mplex"
	"github.com/libp2p/go-yamux/v5"
)

// connectBare puts a muxer on one TCP connection.
func connectBare(muxer, address string) (session, error) {
	conn, err := socket(address)
	if err != nil {
		return nil, err
	}

	switch muxer {
	case "go-yamux":
		config := yamux.DefaultConfig()
		config.LogOutput = io.Discard
		create := yamux.Server
		if address != "" {
			create = yamux.Client
		}
		s, err := create(conn, config, nil)
		return &goYamux{s}, err
	case "hashicorp":
		config := hashicorp.DefaultConfig()
		config.LogOutput = io.Discard
		create := hashicorp.Server
		if address != "" {
			create = hashicorp.Client
		}
		s, err := create(conn, config)
		return &hashicorpYamux{s}, err
	case "go-mplex":
		s, err := multiplex.NewMultiplex(conn, address != "", nil)
		return &goMplex{s}, err
	}
	return nil, fmt.Errorf("there is no muxer %s", muxer)
}

func socket(address string) (net.Conn, error) {
	if address != "" {
		fmt.Println(address)
		return net.Dial("tcp", address)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	fmt.Println(listener.Addr())
	return listener.Accept()
}

type goYamux struct{ *yamux.Session }

func (s *goYamux) open() (stream, error) {
	st, err := s.OpenStream(context.Background())
	return goYamuxStream{st}, err
}

func (s *goYamux) accept() (stream, error) {
	st, err := s.AcceptStream()
	return goYamuxStream{st}, err
}

func (s *goYamux) ping() error {
	_, err := s.Ping()
	return err
}

func (s *goYamux) close(code uint32) error {
	if code == 0 {
		return s.Close()
	}
	return s.CloseWithError(code)
}

type goYamuxStream struct{ *yamux.Stream }

func (s goYamuxStream) end() error              { return s.Close() }
func (s goYamuxStream) reset(code uint32) error { return s.ResetWithError(code) }

type hashicorpYamux struct{ *hashicorp.Session }

func (s *hashicorpYamux) open() (stream, error) {
	st, err := s.OpenStream()
	return hashicorpStream{st}, err
}

func (s *hashicorpYamux) accept() (stream, error) {
	st, err := s.AcceptStream()
	return hashicorpStream{st}, err
}

func (s *hashicorpYamux) ping() error {
	_, err := s.Ping()
	return err
}

// close says GoAway by its own call, which takes no code; Close() would say nothing.
func (s *hashicorpYamux) close(uint32) error {
	if err := s.GoAway(); err != nil {
		return err
	}
	return s.Close()
}

type hashicorpStream struct{ *hashicorp.Stream }

// CloseWrite is called Close: it goes on reading.
func (s hashicorpStream) CloseWrite() error  { return s.Close() }
func (s hashicorpStream) end() error         { return s.Close() }
func (s hashicorpStream) reset(uint32) error { return errUnsupported }

type goMplex struct{ *multiplex.Multiplex }

func (s *goMplex) open() (stream, error) {
	st, err := s.NewStream(context.Background())
	return goMplexStream{st}, err
}

func (s *goMplex) accept() (stream, error) {
	st, err := s.Accept()
	return goMplexStream{st}, err
}

func (s *goMplex) close(uint32) error { return s.Close() }

type goMplexStream struct{ *multiplex.Stream }

func (s goMplexStream) end() error         { return s.Close() }
func (s goMplexStream) reset(uint32) error { return s.Reset() }
