package main

import (
	"errors"
	"io"
	"sort"
	"sync"
	"sync/atomic"
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

// channels are open at both ends, with a byte read on each, before anything is measured.
func channels(s session, count int, client bool) ([]io.ReadWriteCloser, error) {
	streams := make([]io.ReadWriteCloser, 0, count)
	hello := make([]byte, 1)

	for len(streams) < count {
		next := s.accept
		if client {
			next = s.open
		}
		stream, err := next()
		if err != nil {
			return nil, err
		}
		if client {
			_, err = stream.Write(hello)
		} else {
			_, err = io.ReadFull(stream, hello)
		}
		if err != nil {
			return nil, err
		}
		streams = append(streams, stream)
	}

	// the accepting end says when it has them all
	var err error
	if client {
		_, err = io.ReadFull(streams[0], hello)
	} else {
		_, err = streams[0].Write(hello)
	}
	return streams, err
}

// transfer: the end that receives counts, and closes the connection when it is enough.
func transfer(s session, sample request, client bool) (figures, error) {
	streams, err := channels(s, sample.Streams, client)
	if err != nil {
		return nil, err
	}
	if client == (sample.Kind == "upload") {
		return send(streams, sample), nil
	}
	return receive(s, streams, sample)
}

func send(streams []io.ReadWriteCloser, sample request) figures {
	message := make([]byte, sample.Bytes)
	cpu := cpuMillis()
	var senders sync.WaitGroup

	for _, stream := range streams {
		senders.Add(1)
		go func() {
			defer senders.Done()
			for {
				if _, err := stream.Write(message); err != nil {
					return
				}
			}
		}()
	}
	senders.Wait()
	return figures{"sendCpuMillis": cpuMillis() - cpu}
}

func receive(s session, streams []io.ReadWriteCloser, sample request) (figures, error) {
	duration := time.Duration(sample.Millis) * time.Millisecond
	var total, first atomic.Int64
	var once sync.Once
	cpu := cpuMillis()
	done := make(chan figures, 1)
	var receivers sync.WaitGroup

	for _, stream := range streams {
		receivers.Add(1)
		go func() {
			defer receivers.Done()
			buffer := make([]byte, readBytes)
			for {
				n, err := stream.Read(buffer)
				if err != nil {
					return
				}
				now := time.Now().UnixNano()
				first.CompareAndSwap(0, now)
				bytes := total.Add(int64(n))
				if elapsed := now - first.Load(); elapsed >= int64(duration) {
					once.Do(func() {
						done <- figures{"bytes": float64(bytes), "millis": float64(elapsed) / 1e6, "receiveCpuMillis": cpuMillis() - cpu}
						s.Close()
					})
					return
				}
			}
		}()
	}
	receivers.Wait()

	select {
	case result := <-done:
		return result, nil
	default:
		return nil, errors.New("the connection ended before the sample did")
	}
}

func pingPong(s session, sample request, client bool) (figures, error) {
	streams, err := channels(s, 1, client)
	if err != nil {
		return nil, err
	}
	stream := streams[0]
	message := make([]byte, sample.Bytes)

	if !client {
		for {
			if _, err := io.ReadFull(stream, message); err != nil {
				return figures{}, nil
			}
			if _, err := stream.Write(message); err != nil {
				return figures{}, nil
			}
		}
	}

	duration := time.Duration(sample.Millis) * time.Millisecond
	times := []float64{}
	cpu := cpuMillis()
	start := time.Now()

	for time.Since(start) < duration {
		sent := time.Now()
		if _, err := stream.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(stream, message); err != nil {
			return nil, err
		}
		times = append(times, millisSince(sent))
	}

	millis := millisSince(start)
	count := float64(len(times))
	used := cpuMillis() - cpu
	sort.Float64s(times)
	return figures{
		"rate": count / millis * 1000,
		"p50":  times[len(times)/2],
		"p99":  times[len(times)*99/100],
		"cpu":  used * 1000 / count,
	}, nil
}

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

	duration := time.Duration(sample.Millis) * time.Millisecond
	start := time.Now()
	var count atomic.Int64
	var failure atomic.Value
	var loops sync.WaitGroup

	for range sample.Streams {
		loops.Add(1)
		go func() {
			defer loops.Done()
			for time.Since(start) < duration {
				if err := echoOnce(s); err != nil {
					failure.Store(err)
					return
				}
				count.Add(1)
			}
		}()
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
