"""A peer for the interoperability tests, with py-libp2p: see ../../README.md for the contract."""
import json
import logging
import os
import sys

import multiaddr
import trio

from libp2p import create_mplex_muxer_option, create_yamux_muxer_option, new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.network.stream.exceptions import StreamEOF, StreamReset
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE, Transport as NoiseTransport

PROTOCOL = TProtocol("/interop/1.0.0")
PERIOD = 251
PATTERN = bytes(range(PERIOD)) * 4096
CHUNK = 64 * 1024
MUXERS = {"libp2p-yamux": create_yamux_muxer_option, "libp2p-mplex": create_mplex_muxer_option}


def report(event, **values):
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def ending(err):
    how = "eof" if isinstance(err, StreamEOF) else "reset" if isinstance(err, StreamReset) else "error"
    return {"how": how, "message": f"{type(err).__name__}: {err}"}


async def receive(stream, on_data=None):
    """Reads to the end: how many bytes came, whether they were right, and how it ended."""
    total, intact = 0, True
    try:
        while True:
            data = await stream.read(CHUNK)
            if not data:
                end = {"how": "eof"}
                break
            at = total % PERIOD
            intact = intact and data == PATTERN[at:at + len(data)]
            total += len(data)
            if on_data is not None:
                await on_data(data)
    except Exception as err:
        end = ending(err)
    return {**end, "bytes": total, "intact": intact}


async def send(stream, length):
    for at in range(0, length, CHUNK):
        offset = at % PERIOD
        await stream.write(PATTERN[offset:offset + min(CHUNK, length - at)])


async def finish(stream):
    try:
        await stream.close_write()
    except Exception:
        pass


async def echo(stream, _):
    end = await receive(stream, stream.write)
    await finish(stream)
    return end


async def sink(stream, _):
    end = await receive(stream)
    await finish(stream)
    return end


async def half(stream, _):
    end = await receive(stream)
    await send(stream, end["bytes"])
    await finish(stream)
    return end


async def source(stream, length):
    await send(stream, length)
    await stream.close_write()
    return await receive(stream)


async def reset(stream, _):
    await stream.read(1)
    await stream.reset()
    return {"how": "local"}


async def close(stream, _):
    await stream.close()
    return {"how": "local"}


async def slow(stream, _):
    async def wait(data):
        await trio.sleep(0.01 * len(data) / 1024)

    return await receive(stream, wait)


async def go_away(stream, code):
    await stream.read(1)
    muxed = stream.muxed_stream
    connection = getattr(muxed, "conn", None) or muxed.muxed_conn
    # mplex has no codes
    await (connection.close(code) if hasattr(muxed, "conn") else connection.close())
    return {"how": "local"}


# what is done to the first stream, and to all others
MODES = {
    "echo": (echo, echo), "sink": (sink, sink), "half": (half, half), "source": (source, source),
    "slow": (slow, echo), "flood": (source, echo), "reset": (reset, reset), "close": (close, close),
    "goaway": (go_away, go_away), "open": (echo, echo), "empty": (echo, echo), "ping": (echo, echo),
}


async def ask(open_stream, failures):
    try:
        stream = await open_stream()
        await send(stream, 1024)
        await stream.close_write()
        end = await receive(stream)
        if end["how"] != "eof" or end["bytes"] != 1024 or not end["intact"]:
            failures.append(f"the echo was cut or wrong: {end}")
    except Exception as err:
        failures.append(f"{type(err).__name__}: {err}")


async def act(mode, number, open_stream):
    """What the peer does by itself."""
    if mode == "open":
        failures = []
        async with trio.open_nursery() as nursery:
            for _ in range(number):
                nursery.start_soon(ask, open_stream, failures)
        report("done", streams=number, failed=len(failures), message=failures[0] if failures else None)
    elif mode == "empty":
        try:
            stream = await open_stream()
            await stream.close_write()
            end = await receive(stream)
        except Exception as err:
            end = ending(err)
        report("done", **end)
    elif mode == "ping":
        report("done", how="unsupported")


async def run(muxer, mode, number, address):
    keys = create_new_key_pair()
    host = new_host(
        key_pair=keys,
        muxer_opt=MUXERS[muxer](),
        sec_opt={NOISE: NoiseTransport(keys, noise_privkey=create_noise_key_pair().private_key)},
    )
    index = 0

    async def on_stream(stream):
        nonlocal index
        mine, index = index, index + 1
        report("stream", stream=mine)
        try:
            end = await MODES[mode][0 if mine == 0 else 1](stream, number)
        except Exception as err:
            end = ending(err)
        report("end", stream=mine, **end)

    host.set_stream_handler(PROTOCOL, on_stream)
    listen = [multiaddr.Multiaddr("/ip4/127.0.0.1/tcp/0")]

    async with host.run(listen_addrs=listen), trio.open_nursery() as nursery:
        if address is None:
            print(f"{str(host.get_addrs()[0]).split('/p2p/')[0]}/p2p/{host.get_id()}", flush=True)
            while not host.get_connected_peers():
                await trio.sleep(0.005)
            peer = host.get_connected_peers()[0]
        else:
            print(address, flush=True)
            info = info_from_p2p_addr(multiaddr.Multiaddr(address))
            await host.connect(info)
            peer = info.peer_id

        async def open_stream():
            return await host.new_stream(peer, [PROTOCOL])

        report("connected")
        nursery.start_soon(act, mode, number, open_stream)
        await trio.sleep_forever()


async def until_end_of_input():
    await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)


async def main(muxer, mode, number, address=None):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, muxer, mode, int(number), address)
        await until_end_of_input()
        # its own way of ending takes seconds, and is not what is asked about
        os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in MUXERS or sys.argv[2] not in MODES:
        sys.exit("usage: peer.py MUXER MODE NUMBER [ADDRESS]")
    logging.disable(logging.CRITICAL)
    trio.run(main, *sys.argv[1:])
