package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// redis speaks as much of RESP2 as the contract needs.
type redis struct {
	conn   net.Conn
	reader *bufio.Reader
}

func dialRedis(address string) (*redis, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &redis{conn, bufio.NewReader(conn)}, nil
}

// call sends one command and returns the strings of its answer, none for nil.
func (r *redis) call(words ...string) ([]string, error) {
	var command strings.Builder
	fmt.Fprintf(&command, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(r.conn, command.String()); err != nil {
		return nil, err
	}
	return r.answer()
}

func (r *redis) answer() ([]string, error) {
	line, err := r.reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimRight(line[1:], "\r\n")
	count, _ := strconv.Atoi(rest)
	switch kind {
	case '-':
		return nil, fmt.Errorf("redis: %s", rest)
	case '+', ':':
		return []string{rest}, nil
	case '$':
		if count < 0 {
			return nil, nil
		}
		data := make([]byte, count+2)
		if _, err := io.ReadFull(r.reader, data); err != nil {
			return nil, err
		}
		return []string{string(data[:count])}, nil
	case '*':
		var all []string
		for range max(count, 0) {
			part, err := r.answer()
			if err != nil {
				return nil, err
			}
			all = append(all, part...)
		}
		return all, nil
	}
	return nil, fmt.Errorf("redis: an answer that begins with %q", kind)
}
