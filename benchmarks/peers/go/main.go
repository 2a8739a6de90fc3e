// Muxers written in Go, driven by the benchmark: `bench server|client MUXER`, then a line of JSON for each sample.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
)

// request is one sample. The client is told the port besides.
type request struct {
	Kind    string `json:"kind"`
	Streams int    `json:"streams"`
	// of a message
	Bytes  int `json:"bytes"`
	Millis int `json:"millis"`
	// not counted, before
	RampMillis int `json:"rampMillis"`
	// handed over in a single write
	QueueBytes int `json:"queueBytes"`
	Port       int `json:"port"`
}

type figures map[string]float64

var cases = map[string]func(s session, sample request, client bool) (figures, error){
	"upload":            transfer,
	"download":          transfer,
	"round":             transfer,
	"ping-pong":         pingPong,
	"open":              openEchoClose,
	"echo-under-bulk":   echoUnderBulk,
	"echo-behind-queue": echoBehindQueue,
	"idle":              idle,
	"slow-reader":       slowReader,
}

func report(values map[string]any) {
	line, err := json.Marshal(values)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: bench server|client MUXER")
		os.Exit(2)
	}

	role, muxer := os.Args[1], os.Args[2]
	var listener net.Listener
	listening := map[string]any{"type": "listening"}

	if role == "server" {
		var err error
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			panic(err)
		}
		listening["port"] = listener.Addr().(*net.TCPAddr).Port
	}
	report(listening)

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var sample request
		if err := json.Unmarshal(lines.Bytes(), &sample); err != nil {
			panic(err)
		}
		report(map[string]any{"type": "started"})

		values, err := run(muxer, listener, sample)
		if err != nil {
			report(map[string]any{"type": "failed", "reason": err.Error()})
		} else {
			report(map[string]any{"type": "figures", "figures": values})
		}
	}
}

// run makes a connection of its own for each sample.
func run(muxer string, listener net.Listener, sample request) (figures, error) {
	var conn net.Conn
	var err error

	if listener != nil {
		conn, err = listener.Accept()
	} else {
		conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", sample.Port))
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close()

	s, err := newSession(muxer, conn, listener == nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()

	measure, found := cases[sample.Kind]
	if !found {
		return nil, fmt.Errorf("there is no case %s", sample.Kind)
	}
	return measure(s, sample, listener == nil)
}
