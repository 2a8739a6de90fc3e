package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A sender that goes round is that far ahead of the receiver at most, who acknowledges as often as that.
const (
	aheadBytes       = 4 << 20
	acknowledgeBytes = 65536
)

// roundReadBytes is for messages over many streams: 10,000 buffers of 64 KiB would be most of what is measured.
const roundReadBytes = 4096

// transfer: the end that receives counts, and closes the connection when it is enough.
func transfer(s session, sample request, client bool) (figures, error) {
	count := sample.Streams
	if sample.Kind == "round" {
		// the last is for acknowledgements
		count++
	}

	streams, err := channels(s, count, client)
	if err != nil {
		return nil, err
	}
	if client != (sample.Kind == "download") {
		return send(streams, sample), nil
	}
	return receive(s, streams, sample)
}

func send(streams []net.Conn, sample request) figures {
	message := make([]byte, sample.Bytes)
	cpu := cpuMillis()

	if sample.Kind == "round" {
		sendRound(streams, message)
		return figures{"sendCpuMillis": cpuMillis() - cpu}
	}

	var senders sync.WaitGroup
	for _, stream := range streams {
		senders.Go(func() { sendOn(stream, message) })
	}
	senders.Wait()
	return figures{"sendCpuMillis": cpuMillis() - cpu}
}

// sendOn writes until the connection is closed.
func sendOn(stream io.Writer, message []byte) {
	for {
		if _, err := stream.Write(message); err != nil {
			return
		}
	}
}

// sendRound writes on one stream after the other, all but the last, where each byte that comes allows for more.
func sendRound(streams []net.Conn, message []byte) {
	last := len(streams) - 1
	credits := make(chan struct{}, aheadBytes/acknowledgeBytes)
	for range cap(credits) {
		credits <- struct{}{}
	}

	go func() {
		defer close(credits)
		buffer := make([]byte, cap(credits))
		for {
			n, err := streams[last].Read(buffer)
			if err != nil {
				return
			}
			for range n {
				credits <- struct{}{}
			}
		}
	}()

	for sent := 0; ; {
		for _, stream := range streams[:last] {
			if _, err := stream.Write(message); err != nil {
				return
			}
			if sent += len(message); sent >= acknowledgeBytes {
				sent -= acknowledgeBytes
				if _, open := <-credits; !open {
					return
				}
			}
		}
	}
}

// meter counts what comes in on all streams together: from the first byte on, after so long to warm up.
type meter struct {
	sample          request
	acknowledgement io.Writer
	sending         sync.Mutex
	first           atomic.Int64
	ramped, counted atomic.Int64
}

// count says how much it is by now, and for how long.
func (m *meter) count(n int) (bytes int64, elapsed time.Duration) {
	now := time.Now().UnixNano()
	m.first.CompareAndSwap(0, now)
	elapsed = time.Duration(now-m.first.Load()) - milliseconds(m.sample.RampMillis)
	if elapsed < 0 {
		return m.ramped.Add(int64(n)), elapsed
	}
	bytes = m.counted.Add(int64(n))
	if m.acknowledgement != nil {
		if due := bytes/acknowledgeBytes - (bytes-int64(n))/acknowledgeBytes; due > 0 {
			m.sending.Lock()
			defer m.sending.Unlock()
			// a connection that is closed ends the sample elsewhere
			_, _ = m.acknowledgement.Write(make([]byte, due))
		}
	}
	return bytes, elapsed
}

func receive(s session, streams []net.Conn, sample request) (figures, error) {
	m := &meter{sample: sample}
	size := readBytes
	if sample.Kind == "round" {
		last := len(streams) - 1
		streams, m.acknowledgement, size = streams[:last], streams[last], roundReadBytes
	}

	cpu := cpuMillis()
	done := make(chan figures, 1)
	var once sync.Once
	var receivers sync.WaitGroup

	for _, stream := range streams {
		receivers.Go(func() {
			buffer := make([]byte, size)
			for {
				n, err := stream.Read(buffer)
				if err != nil {
					return
				}
				if bytes, elapsed := m.count(n); elapsed >= milliseconds(sample.Millis) {
					once.Do(func() {
						done <- figures{
							"bytes":            float64(bytes),
							"rampBytes":        float64(m.ramped.Load()),
							"millis":           float64(elapsed) / 1e6,
							"receiveCpuMillis": cpuMillis() - cpu,
						}
						stop(streams)
					})
					return
				}
			}
		})
	}
	receivers.Wait()
	s.Close()

	select {
	case result := <-done:
		return result, nil
	default:
		return nil, errors.New("the connection ended before the sample did")
	}
}

// stop ends all reads before the connection is closed: readers of hashicorp/yamux spin from when its closing begins
// until it is done, and 10,000 of them leave it no core for more than 20 seconds.
func stop(streams []net.Conn) {
	for _, stream := range streams {
		_ = stream.SetReadDeadline(time.Now())
	}
}
