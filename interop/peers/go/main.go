// A peer for the interoperability tests, with the muxers and hosts of Go: see ../../README.md for the contract.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
)

// event is one line on standard output.
type event map[string]any

var output sync.Mutex

func report(what event) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "transport-test" {
		transportTest()
		return
	}
	if len(os.Args) < 4 || len(os.Args) > 5 {
		fmt.Fprintln(os.Stderr, "usage: peer MUXER MODE NUMBER [ADDRESS] | peer transport-test")
		os.Exit(2)
	}

	number, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fail(err)
	}
	address := ""
	if len(os.Args) == 5 {
		address = os.Args[4]
	}

	mode, ok := modes[os.Args[2]]
	if !ok {
		fail(fmt.Errorf("there is no mode %s", os.Args[2]))
	}

	go func() {
		s, err := connect(os.Args[1], address)
		if err != nil {
			fail(err)
		}
		report(event{"event": "connected"})
		mode(s, number)
	}()

	_, _ = io.Copy(io.Discard, os.Stdin)
}

// connect prints the address that it listens at, or the one that it dials.
func connect(muxer, address string) (session, error) {
	switch muxer {
	case "libp2p-yamux", "libp2p-mplex":
		return connectHost(muxer, address)
	default:
		return connectBare(muxer, address)
	}
}
