/** Channels before a sample: open at both ends, so that opening them is not in the figures. */
import type { Channel, Session } from '../peers/types.ts'

/** More at once would overflow the backlog of a listening socket. */
const AT_ONCE = 32

/** Opens channels and sends a byte on each, since some muxers tell the remote of a stream only then. */
export async function openChannels (session: Session, count: number): Promise<Channel[]> {
  const channels: Channel[] = []
  const hello = new Uint8Array(1)

  async function openSome (): Promise<void> {
    while (channels.length < count) {
      // takes the place before anybody else does
      const index = channels.push(undefined as unknown as Channel) - 1
      const channel = await session.open()

      channel.send(hello)
      channels[index] = channel
    }
  }

  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, openSome))

  return channels
}

/** Waits for so many channels and the byte on each. In the order of arrival, which may not be that of opening. */
export async function acceptChannels (session: Session, count: number): Promise<Channel[]> {
  const channels: Channel[] = []

  return new Promise(resolve => {
    session.onChannel(channel => {
      let greeted = false

      channel.onData(() => {
        if (!greeted) {
          greeted = true
          channels.push(channel)

          if (channels.length === count) {
            resolve(channels)
          }
        }
      })
    })
  })
}
