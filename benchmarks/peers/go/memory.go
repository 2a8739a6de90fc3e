package main

import (
	"io"
	"runtime"
	"time"
)

// readMillis is how often a slow reader takes a message.
const readMillis = 50

// heapBytes is what is allocated, and the stacks of goroutines that a muxer keeps.
func heapBytes() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc + stats.StackInuse)
}

// collected is what is left of it after garbage collection: twice, as what pools hold is freed by the second.
func collected() float64 {
	runtime.GC()
	runtime.GC()
	return heapBytes()
}

// idle: what streams cost that do nothing, and that nobody reads: each goroutine that waits for one has a stack of
// 2 KiB at least.
func idle(s session, sample request, client bool) (figures, error) {
	first, err := channels(s, 1, client)
	if err != nil {
		return nil, err
	}

	before := collected()
	if client {
		err = hear(first[0])
	} else {
		err = tell(first[0])
	}
	if err != nil {
		return nil, err
	}

	streams, err := channels(s, sample.Streams, client)
	if err != nil {
		return nil, err
	}
	each := (collected() - before) / float64(sample.Streams)
	defer runtime.KeepAlive(streams)

	if !client {
		// the client closes the connection when it hears it, which may be before the write has returned
		_ = tell(first[0])
		_ = hear(first[0])
		return figures{"accepted": each}, nil
	}
	return figures{"opened": each}, hear(first[0])
}

// watchMemory looks at the memory of this process now and then, until told to stop: then says by how much it grew.
func watchMemory() func() float64 {
	before := collected()
	stop := make(chan struct{})
	grown := make(chan float64)

	go func() {
		ticker := time.NewTicker(milliseconds(readMillis / 2))
		defer ticker.Stop()
		peak := before
		for {
			select {
			case <-ticker.C:
				peak = max(peak, heapBytes())
			case <-stop:
				grown <- peak - before
				return
			}
		}
	}()

	return func() float64 {
		close(stop)
		return <-grown
	}
}

// slowReader takes a message every 50 ms of a writer that offers all it can.
func slowReader(s session, sample request, client bool) (figures, error) {
	streams, err := channels(s, 1, client)
	if err != nil {
		return nil, err
	}
	message := make([]byte, sample.Bytes)
	grown := watchMemory()

	if client {
		sent := 0
		for {
			n, err := streams[0].Write(message)
			sent += n
			if err != nil {
				return figures{"writer": grown(), "sent": float64(sent)}, nil
			}
		}
	}

	taken := 0
	start := time.Now()
	for time.Since(start) < milliseconds(sample.Millis) {
		n, err := io.ReadFull(streams[0], message)
		if err != nil {
			return nil, err
		}
		taken += n
		time.Sleep(time.Until(start.Add(milliseconds(taken / sample.Bytes * readMillis))))
	}
	return figures{"reader": grown(), "taken": float64(taken)}, nil
}
