package main

import (
	"io"
	"sort"
	"sync/atomic"
	"time"
)

// bulkBytes is what a write of bulk has, beside which there are pings.
const bulkBytes = 65536

// pings goes on, one at a time, until it is enough: the round trips in milliseconds, in order of length.
func pings(stream io.ReadWriter, bytes int, enough func() bool) ([]float64, error) {
	message := make([]byte, bytes)
	times := []float64{}

	for len(times) == 0 || !enough() {
		sent := time.Now()
		if _, err := stream.Write(message); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(stream, message); err != nil {
			return nil, err
		}
		times = append(times, millisSince(sent))
	}

	sort.Float64s(times)
	return times, nil
}

// echo answers pings until the connection is closed.
func echo(stream io.ReadWriter, bytes int) {
	message := make([]byte, bytes)
	for {
		if _, err := io.ReadFull(stream, message); err != nil {
			return
		}
		if _, err := stream.Write(message); err != nil {
			return
		}
	}
}

func quantiles(times []float64) figures {
	return figures{"p50": times[len(times)/2], "p99": times[len(times)*99/100]}
}

func pingPong(s session, sample request, client bool) (figures, error) {
	streams, err := channels(s, 1, client)
	if err != nil {
		return nil, err
	}
	if !client {
		echo(streams[0], sample.Bytes)
		return figures{}, nil
	}

	cpu := cpuMillis()
	start := time.Now()
	times, err := pings(streams[0], sample.Bytes, func() bool { return time.Since(start) >= milliseconds(sample.Millis) })
	if err != nil {
		return nil, err
	}

	count := float64(len(times))
	result := quantiles(times)
	result["rate"] = count / millisSince(start) * 1000
	result["cpu"] = (cpuMillis() - cpu) * 1000 / count
	return result, nil
}

// echoUnderBulk: the pings go the way that the bulk goes.
func echoUnderBulk(s session, sample request, client bool) (figures, error) {
	streams, err := channels(s, 2, client)
	if err != nil {
		return nil, err
	}
	bulk, ping := streams[0], streams[1]

	if !client {
		return countBulk(bulk, ping, sample)
	}

	go sendOn(bulk, make([]byte, bulkBytes))
	// the bulk is under way
	if err := hear(ping); err != nil {
		return nil, err
	}
	start := time.Now()
	times, err := pings(ping, sample.Bytes, func() bool { return time.Since(start) >= milliseconds(sample.Millis) })
	if err != nil {
		return nil, err
	}
	return quantiles(times), nil
}

// countBulk counts from the first pings to the last, after which the client closes the connection.
func countBulk(bulk io.Reader, ping io.ReadWriter, sample request) (figures, error) {
	buffer := make([]byte, readBytes)
	if _, err := bulk.Read(buffer); err != nil {
		return nil, err
	}
	if err := tell(ping); err != nil {
		return nil, err
	}
	go echo(ping, sample.Bytes)

	start := time.Now()
	result := figures{"bytes": 0, "millis": 0}
	for {
		n, err := bulk.Read(buffer)
		if err != nil {
			return result, nil
		}
		result["bytes"] += float64(n)
		result["millis"] = millisSince(start)
	}
}

// echoBehindQueue: much is handed over in a single write, and pings go on until all of it has arrived.
func echoBehindQueue(s session, sample request, client bool) (figures, error) {
	streams, err := channels(s, 2, client)
	if err != nil {
		return nil, err
	}
	bulk, ping := streams[0], streams[1]

	if !client {
		go echo(ping, sample.Bytes)
		buffer := make([]byte, readBytes)
		for missing := sample.QueueBytes; missing > 0; {
			n, err := bulk.Read(buffer)
			if err != nil {
				return nil, err
			}
			missing -= n
		}
		// the client closes the connection when it hears it, which may be before the write has returned
		_ = tell(bulk)
		_ = hear(bulk)
		return figures{}, nil
	}

	var arrived atomic.Bool
	queue := make([]byte, sample.QueueBytes)
	go func() {
		defer arrived.Store(true)
		if _, err := bulk.Write(queue); err == nil {
			_ = hear(bulk)
		}
	}()
	times, err := pings(ping, sample.Bytes, arrived.Load)
	if err != nil {
		return nil, err
	}
	return quantiles(times), nil
}
