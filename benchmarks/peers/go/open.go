package main

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

func openEchoClose(s session, sample request, client bool) (figures, error) {
	cpu := cpuMillis()

	if !client {
		for {
			stream, err := s.accept()
			if err != nil {
				return figures{"serverCpuMillis": cpuMillis() - cpu}, nil
			}
			go func() {
				defer stream.Close()
				one := make([]byte, 1)
				if _, err := io.ReadFull(stream, one); err == nil {
					if _, err := stream.Write(one); err == nil {
						// until the client has ended its half
						_, _ = stream.Read(one)
					}
				}
			}()
		}
	}

	start := time.Now()
	var count atomic.Int64
	var failure atomic.Value
	var loops sync.WaitGroup

	for range sample.Streams {
		loops.Go(func() {
			for time.Since(start) < milliseconds(sample.Millis) {
				if err := echoOnce(s); err != nil {
					failure.Store(err)
					return
				}
				count.Add(1)
			}
		})
	}
	loops.Wait()

	if err, failed := failure.Load().(error); failed {
		return nil, err
	}
	return figures{"count": float64(count.Load()), "millis": millisSince(start), "clientCpuMillis": cpuMillis() - cpu}, nil
}

func echoOnce(s session) error {
	stream, err := s.open()
	if err != nil {
		return err
	}
	defer stream.Close()
	one := make([]byte, 1)
	if _, err := stream.Write(one); err != nil {
		return err
	}
	_, err = io.ReadFull(stream, one)
	return err
}
