package main

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// What a peer does with the streams of the connection, by name. The number means something else in each.
var modes = map[string]func(s session, number int){
	"echo":     func(s session, _ int) { each(s, func(int, stream) func(stream) event { return echo }) },
	"sink":     func(s session, _ int) { each(s, func(int, stream) func(stream) event { return sink }) },
	"half":     func(s session, _ int) { each(s, func(int, stream) func(stream) event { return half }) },
	"close":    func(s session, _ int) { each(s, func(int, stream) func(stream) event { return closeBoth }) },
	"source":   func(s session, n int) { each(s, func(int, stream) func(stream) event { return source(n) }) },
	"reset":    func(s session, n int) { each(s, func(int, stream) func(stream) event { return reset(uint32(n)) }) },
	"slow":     func(s session, _ int) { each(s, first(slow)) },
	"flood":    func(s session, n int) { each(s, first(source(n))) },
	"open":     openMany,
	"noaccept": func(session, int) { select {} },
	"empty":    openEmpty,
	"ping":     pingMany,
	"goaway":   goAway,
}

// pattern is what is sent, over and over: what is lost or swapped is seen.
var pattern = func() []byte {
	block := make([]byte, 251*4096)
	for i := range block {
		block[i] = byte(i % 251)
	}
	return block
}()

// intact checks bytes that were received at an offset.
func intact(data []byte, offset int) bool {
	for len(data) > 0 {
		at := offset % 251
		n := min(len(data), len(pattern)-at)
		if !bytes.Equal(data[:n], pattern[at:at+n]) {
			return false
		}
		data, offset = data[n:], offset+n
	}
	return true
}

// first does one thing to the first stream and echoes on all others.
func first(handle func(stream) event) func(int, stream) func(stream) event {
	return func(index int, _ stream) func(stream) event {
		if index == 0 {
			return handle
		}
		return echo
	}
}

// each accepts streams until the connection ends.
func each(s session, choose func(int, stream) func(stream) event) {
	for index := 0; ; index++ {
		st, err := s.accept()
		if err != nil {
			end := ending(err)
			end["event"] = "closed"
			report(end)
			return
		}
		report(event{"event": "stream", "stream": index})
		go func() {
			end := choose(index, st)(st)
			end["event"], end["stream"] = "end", index
			report(end)
		}()
	}
}

// receive reads to the end, and says how many bytes came, whether they were right, and how it ended.
func receive(st io.Reader, onData func([]byte) error) event {
	buffer := make([]byte, 64*1024)
	total, right := 0, true
	for {
		n, err := st.Read(buffer)
		right = right && intact(buffer[:n], total)
		total += n
		if err == nil && onData != nil {
			err = onData(buffer[:n])
		}
		if err != nil {
			end := ending(err)
			end["bytes"], end["intact"] = total, right
			return end
		}
	}
}

func send(st io.Writer, length int) error {
	for length > 0 {
		n, err := st.Write(pattern[:min(length, len(pattern))])
		if err != nil {
			return err
		}
		length -= n
	}
	return nil
}

func echo(st stream) event {
	end := receive(st, func(data []byte) error {
		_, err := st.Write(data)
		return err
	})
	_ = st.end()
	return end
}

func sink(st stream) event {
	end := receive(st, nil)
	_ = st.end()
	return end
}

func half(st stream) event {
	end := receive(st, nil)
	if err := send(st, end["bytes"].(int)); err != nil {
		end["message"] = err.Error()
	}
	_ = st.end()
	return end
}

// source writes, ends its half, and then reads.
func source(length int) func(stream) event {
	return func(st stream) event {
		if err := send(st, length); err != nil {
			return ending(err)
		}
		if err := st.CloseWrite(); err != nil {
			return ending(err)
		}
		end := receive(st, nil)
		_ = st.end()
		return end
	}
}

func reset(code uint32) func(stream) event {
	return func(st stream) event {
		_, _ = st.Read(make([]byte, 1))
		if err := st.reset(code); err != nil {
			return ending(err)
		}
		return event{"how": "local"}
	}
}

func closeBoth(st stream) event {
	if err := st.end(); err != nil {
		return ending(err)
	}
	return event{"how": "local"}
}

func slow(st stream) event {
	buffer := make([]byte, 1024)
	total := 0
	for {
		n, err := st.Read(buffer)
		total += n
		if err != nil {
			end := ending(err)
			end["bytes"] = total
			_ = st.end()
			return end
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// openMany opens streams at once, writes a little on each, ends, and wants it back; it echoes on others meanwhile.
func openMany(s session, count int) {
	var all sync.WaitGroup
	var failed atomic.Int32
	var message atomic.Value
	message.Store("")

	for range count {
		all.Go(func() {
			if err := ask(s); err != "" {
				failed.Add(1)
				message.Store(err)
			}
		})
	}
	go func() {
		all.Wait()
		report(event{"event": "done", "streams": count, "failed": failed.Load(), "message": message.Load()})
	}()
	each(s, func(int, stream) func(stream) event { return echo })
}

func ask(s session) string {
	st, err := s.open()
	if err != nil {
		return err.Error()
	}
	if err := send(st, 1024); err != nil {
		return err.Error()
	}
	if err := st.CloseWrite(); err != nil {
		return err.Error()
	}
	end := receive(st, nil)
	_ = st.end()
	if end["how"] != "eof" || end["bytes"] != 1024 || end["intact"] != true {
		return "the echo was cut or wrong"
	}
	return ""
}

// openEmpty opens a stream, ends its half without a byte, and waits for the other half.
func openEmpty(s session, _ int) {
	go func() {
		st, err := s.open()
		if err == nil {
			err = st.CloseWrite()
		}
		end := ending(err)
		if err == nil {
			end = receive(st, nil)
			_ = st.end()
		}
		end["event"] = "done"
		report(end)
	}()
	each(s, func(int, stream) func(stream) event { return echo })
}

func pingMany(s session, count int) {
	go func() {
		p, ok := s.(pinger)
		if !ok {
			report(event{"event": "done", "how": "unsupported"})
			return
		}
		for i := range count {
			if err := p.ping(); err != nil {
				end := ending(err)
				end["event"], end["count"] = "done", i
				report(end)
				return
			}
		}
		report(event{"event": "done", "count": count})
	}()
	each(s, func(int, stream) func(stream) event { return echo })
}

// goAway ends the connection with a code once a byte has come on a stream.
func goAway(s session, code int) {
	each(s, func(int, stream) func(stream) event {
		return func(st stream) event {
			_, _ = st.Read(make([]byte, 1))
			if err := s.close(uint32(code)); err != nil {
				return ending(err)
			}
			return event{"how": "local"}
		}
	})
}
