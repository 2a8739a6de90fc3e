package main

import (
	"errors"
	"io"

	hashicorp "github.com/hashicorp/yamux"
	"github.com/libp2p/go-libp2p/core/network"
	multiplex "github.com/libp2p/go-mplex"
	"github.com/libp2p/go-yamux/v5"
)

// session is what the modes need of a connection.
type session interface {
	open() (stream, error)
	accept() (stream, error)
	// close ends the connection, with a code where the implementation has codes.
	close(code uint32) error
}

// pinger is a session that can ping.
type pinger interface {
	ping() error
}

type stream interface {
	io.ReadWriter
	CloseWrite() error
	// end closes both halves.
	end() error
	reset(code uint32) error
}

var errUnsupported = errors.New("unsupported")

// ending says how a stream, or a connection, ended, with the code that came along.
func ending(err error) event {
	if err == nil || errors.Is(err, io.EOF) {
		return event{"how": "eof"}
	}

	result := event{"how": "error", "message": err.Error()}

	var goAway *yamux.GoAwayError
	var connError *network.ConnError
	var streamError *yamux.StreamError
	var hostError *network.StreamError

	switch {
	case errors.As(err, &goAway):
		result["how"], result["code"], result["remote"] = "closed", goAway.ErrorCode, goAway.Remote
	case errors.As(err, &connError):
		result["how"], result["code"], result["remote"] = "closed", uint32(connError.ErrorCode), connError.Remote
	case errors.As(err, &streamError):
		result["how"], result["code"], result["remote"] = "reset", streamError.ErrorCode, streamError.Remote
	case errors.As(err, &hostError):
		result["how"], result["code"], result["remote"] = "reset", uint32(hostError.ErrorCode), hostError.Remote
	case errors.Is(err, hashicorp.ErrSessionShutdown), errors.Is(err, multiplex.ErrShutdown), errors.Is(err, yamux.ErrSessionShutdown):
		result["how"] = "closed"
	case errors.Is(err, hashicorp.ErrConnectionReset), errors.Is(err, multiplex.ErrStreamReset), errors.Is(err, network.ErrReset), errors.Is(err, yamux.ErrStreamReset):
		result["how"] = "reset"
	}

	return result
}
