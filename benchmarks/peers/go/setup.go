package main

import (
	"io"
	"net"
	"syscall"
	"time"
)

const readBytes = 65536

// cpuMillis is what this process has used of all cores.
func cpuMillis() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func millisSince(start time.Time) float64 { return float64(time.Since(start).Nanoseconds()) / 1e6 }

func milliseconds(count int) time.Duration { return time.Duration(count) * time.Millisecond }

// tell lets the other end go on, which waits in hear.
func tell(stream io.Writer) error {
	_, err := stream.Write([]byte{1})
	return err
}

func hear(stream io.Reader) error {
	_, err := io.ReadFull(stream, make([]byte, 1))
	return err
}

// channels are open at both ends, with a byte there and one back on each, before anything is measured: rust-yamux
// acknowledges a stream with the first that it writes, and opens no more than 256 that are not acknowledged.
func channels(s session, count int, client bool) ([]net.Conn, error) {
	streams := make([]net.Conn, 0, count)

	for len(streams) < count {
		stream, err := openOrAccept(s, client)
		if err != nil {
			return nil, err
		}
		streams = append(streams, stream)
	}

	if client {
		for _, stream := range streams {
			if err := hear(stream); err != nil {
				return nil, err
			}
		}
	}
	return streams, nil
}

func openOrAccept(s session, client bool) (net.Conn, error) {
	if client {
		stream, err := s.open()
		if err != nil {
			return nil, err
		}
		return stream, tell(stream)
	}

	stream, err := s.accept()
	if err != nil {
		return nil, err
	}
	if err := hear(stream); err != nil {
		return nil, err
	}
	return stream, tell(stream)
}
