package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

const patience = 180 * time.Second

// transportTest is the libp2p project's contract of cross-implementation tests: see ../../transport-test/README.md.
func transportTest() {
	key := os.Getenv("TEST_KEY") + "_listener_multiaddr"
	muxer := map[string]string{"yamux": "libp2p-yamux", "mplex": "libp2p-mplex"}[os.Getenv("MUXER")]
	if muxer == "" || os.Getenv("TRANSPORT") != "tcp" || os.Getenv("SECURE_CHANNEL") != "noise" {
		fail(fmt.Errorf("only tcp with noise, and yamux or mplex"))
	}

	store, err := dialRedis(os.Getenv("REDIS_ADDR"))
	if err != nil {
		fail(err)
	}

	if os.Getenv("IS_DIALER") == "true" {
		err = dialTest(store, muxer, key)
	} else {
		err = listenTest(store, muxer, key)
	}
	if err != nil {
		fail(err)
	}
}

func listenTest(store *redis, muxer, key string) error {
	h, err := newHost(muxer, fmt.Sprintf("/ip4/%s/tcp/0", os.Getenv("LISTENER_IP")))
	if err != nil {
		return err
	}
	ping.NewPingService(h)
	if _, err := store.call("DEL", key); err != nil {
		return err
	}
	address := h.Addrs()[0].String()
	for _, other := range h.Addrs() {
		// others may be on other machines
		if strings.HasPrefix(address, "/ip4/127.") {
			address = other.String()
		}
	}
	if _, err := store.call("RPUSH", key, fmt.Sprintf("%s/p2p/%s", address, h.ID())); err != nil {
		return err
	}
	// the dialer decides when it is over: whoever started us ends us
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

func dialTest(store *redis, muxer, key string) error {
	found, err := store.call("BLPOP", key, fmt.Sprint(int(patience.Seconds())))
	if err != nil {
		return err
	}
	if len(found) != 2 {
		return fmt.Errorf("no listener came")
	}
	info, err := peer.AddrInfoFromString(found[1])
	if err != nil {
		return err
	}
	h, err := newHost(muxer)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	started := time.Now()
	if err := h.Connect(ctx, *info); err != nil {
		return err
	}
	results := ping.Ping(ctx, h, info.ID)
	first := <-results
	if first.Error != nil {
		return first.Error
	}
	handshakePlusOne := time.Since(started)
	second := <-results
	if second.Error != nil {
		return second.Error
	}
	fmt.Printf("latency:\n  handshake_plus_one_rtt: %.3f\n  ping_rtt: %.3f\n  unit: ms\n", millis(handshakePlusOne), millis(second.RTT))
	return nil
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
