/**
 * A certificate that signs itself, with a key that lives as long as the test run. Node reads X.509 but writes none;
 * the little of it that is needed here is a few nested lists.
 */
import { generateKeyPairSync, sign } from 'node:crypto'

const INTEGER = 0x02
const BIT_STRING = 0x03
const OBJECT_ID = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const SEQUENCE = 0x30
const SET = 0x31

const COMMON_NAME = Buffer.from('550403', 'hex')
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex')

function der (tag: number, ...contents: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents)
  const length = body.byteLength < 0x80
    ? [body.byteLength]
    : [0x82, body.byteLength >> 8, body.byteLength & 0xff]

  return Buffer.concat([Uint8Array.of(tag, ...length), body])
}

function text (tag: number, value: string): Uint8Array {
  return der(tag, Buffer.from(value))
}

export interface Identity {
  key: string
  cert: string
}

/** For a server that is called by that name. */
export function selfSigned (name: string): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256))
  const subject = der(SEQUENCE, der(SET, der(SEQUENCE, der(OBJECT_ID, COMMON_NAME), text(UTF8_STRING, name))))
  const validity = der(SEQUENCE, text(UTC_TIME, '200101000000Z'), text(UTC_TIME, '491231235959Z'))

  const content = der(SEQUENCE,
    der(INTEGER, Uint8Array.of(1)),
    algorithm,
    subject,
    validity,
    subject,
    publicKey.export({ type: 'spki', format: 'der' })
  )
  const certificate = der(SEQUENCE,
    content,
    algorithm,
    der(BIT_STRING, Uint8Array.of(0), sign('sha256', content, privateKey))
  )

  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----\n`
  }
}
