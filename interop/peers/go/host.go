package main

import (
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p"
	mplex "github.com/libp2p/go-libp2p-mplex"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const protocol = "/interop/1.0.0"

// hostSession is a connection between two libp2p hosts. Its streams are those of one protocol.
type hostSession struct {
	host    host.Host
	peer    peer.ID
	inbound chan network.Stream
	gone    chan struct{}
}

func newHost(muxer string, addresses ...string) (host.Host, error) {
	muxers := map[string]libp2p.Option{
		"libp2p-yamux": libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		"libp2p-mplex": libp2p.Muxer(mplex.ID, mplex.DefaultTransport),
	}
	return libp2p.New(
		libp2p.ListenAddrStrings(addresses...),
		libp2p.NoTransports,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		muxers[muxer],
		// its limits are for strangers: 1,000 streams at once are refused
		libp2p.ResourceManager(&network.NullResourceManager{}),
	)
}

func connectHost(muxer, address string) (session, error) {
	h, err := newHost(muxer, "/ip4/127.0.0.1/tcp/0")
	if err != nil {
		return nil, err
	}

	s := &hostSession{host: h, inbound: make(chan network.Stream, 1024), gone: make(chan struct{})}
	connected := make(chan peer.ID, 1)

	h.SetStreamHandler(protocol, func(st network.Stream) { s.inbound <- st })
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			select {
			case connected <- c.RemotePeer():
			default:
			}
		},
		DisconnectedF: func(network.Network, network.Conn) { close(s.gone) },
	})

	if address == "" {
		fmt.Printf("%s/p2p/%s\n", h.Addrs()[0], h.ID())
	} else {
		fmt.Println(address)
		info, err := peer.AddrInfoFromString(address)
		if err != nil {
			return nil, err
		}
		if err := h.Connect(context.Background(), *info); err != nil {
			return nil, err
		}
	}

	s.peer = <-connected
	return s, nil
}

func (s *hostSession) open() (stream, error) {
	st, err := s.host.NewStream(context.Background(), s.peer, protocol)
	return hostStream{st}, err
}

func (s *hostSession) accept() (stream, error) {
	select {
	case st := <-s.inbound:
		return hostStream{st}, nil
	case <-s.gone:
		return nil, fmt.Errorf("disconnected")
	}
}

func (s *hostSession) close(code uint32) error {
	for _, c := range s.host.Network().ConnsToPeer(s.peer) {
		if code == 0 {
			return c.Close()
		}
		return c.CloseWithError(network.ConnErrorCode(code))
	}
	return fmt.Errorf("there is no connection")
}

type hostStream struct{ network.Stream }

func (s hostStream) end() error { return s.Close() }
func (s hostStream) reset(code uint32) error {
	if code == 0 {
		return s.Reset()
	}
	return s.ResetWithError(network.StreamErrorCode(code))
}
