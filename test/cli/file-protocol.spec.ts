import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { ByteReader } from '../../src/cli/byte-reader.ts'
import { candidateName, cutBytes, decodeHeader, decodePrefix, decodeReceipt, encodeHeader, encodeReceipt, MAX_HEADER_LENGTH, MAX_NAME_LENGTH, MAX_RECEIPT_LENGTH, nameProblem } from '../../src/cli/file-protocol.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const lengthOf = (text: string): number => bytes(text).byteLength

const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }).filter(name => nameProblem(name) == null)

async function * pieces (...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield * all
}

describe('cli/file-protocol', () => {
  describe('headers', () => {
    it('come back as they were sent, however they are cut', async () => {
      await fc.assert(fc.asyncProperty(names, fc.maxSafeNat(), fc.nat(), async (name, size, cut) => {
        const message = encodeHeader({ name, size })
        const at = cut % message.byteLength
        const reader = new ByteReader(pieces(message.subarray(0, at), new Uint8Array(), message.subarray(at)))

        expect(decodeHeader(await reader.message(MAX_HEADER_LENGTH, 'header'))).to.deep.equal({ name, size })
      }))
    })

    it('fit for every name that is allowed', () => {
      for (const name of ['a'.repeat(MAX_NAME_LENGTH), '"'.repeat(MAX_NAME_LENGTH), '€'.repeat(85)]) {
        expect(decodeHeader(encodeHeader({ name, size: Number.MAX_SAFE_INTEGER }).subarray(2)).name).to.equal(name)
      }
    })

    it('are refused by their announced length, before anything is read', () => {
      expect(decodePrefix(new Uint8Array([0x10, 0]), 4_096, 'header')).to.equal(4_096)
      expect(() => decodePrefix(new Uint8Array([0x10, 1]), 4_096, 'header')).to.throw('the header announces 4097 bytes')
      expect(() => decodePrefix(new Uint8Array([0, 0]), 4_096, 'header')).to.throw('the header announces 0 bytes')
    })

    for (const body of [
      '', 'null', '[]', '"x"', '1', '{', '{}', '{"name":"f"}', '{"size":1}',
      '{"name":1,"size":1}', '{"name":"f","size":"1"}', '{"name":"f","size":-1}', '{"name":"f","size":1.5}',
      '{"name":"f","size":9007199254740992}', '{"name":"f","size":1e999}', '{"name":"f","size":null}',
      '{"name":"","size":1}', '{"name":"../f","size":1}', '{"name":"\\u0000","size":1}', '{"name":"\\ud800","size":1}'
    ]) {
      it(`refuses the header ${body === '' ? 'of nothing' : body}`, () => {
        expect(() => decodeHeader(bytes(body))).to.throw().with.property('name', 'FileProtocolError')
      })
    }

    it('are refused when they are not UTF-8', () => {
      expect(() => decodeHeader(new Uint8Array([0x22, 0xff, 0x22]))).to.throw().with.property('name', 'FileProtocolError')
    })

    it('fail in one way only, whatever comes', () => {
      fc.assert(fc.property(fc.oneof(
        fc.uint8Array({ maxLength: 100 }),
        fc.json().map(bytes),
        fc.record({ name: fc.anything(), size: fc.anything() }).map(value => bytes(JSON.stringify(value) ?? ''))
      ), body => {
        try {
          const { name, size } = decodeHeader(body)
          expect(nameProblem(name)).to.be.undefined()
          expect(Number.isSafeInteger(size) && size >= 0).to.be.true()
        } catch (err) {
          expect(err).to.have.property('name', 'FileProtocolError')
        }
      }))
    })
  })

  describe('names', () => {
    for (const name of ['f', 'a b.txt', 'ä€😀.tar.gz', '-rf', '~', '$(x)', '%2e%2e', 'x..y', 'a'.repeat(255), '👩‍💻.txt']) {
      it(`takes ${name.slice(0, 20)}`, () => {
        expect(nameProblem(name, 'linux')).to.be.undefined()
      })
    }

    const hostile: Array<[string, unknown]> = [
      ['nothing', ''], ['no text', 7], ['no name', undefined], ['blanks', '  '], ['dot', '.'], ['dot dot', '..'],
      ['a hidden file', '.bashrc'], ['a path', 'a/b'], ['an absolute path', '/etc/passwd'], ['a parent', '../x'],
      ['a Windows path', 'a\\b'], ['a Windows parent', '..\\x'], ['a NUL', 'a\0b'], ['a line break', 'a\nb'],
      ['a carriage return', 'a\rb'], ['an escape sequence', '\x1b[2J'], ['a C1 control', 'a\x9bb'], ['DEL', 'a\x7f'],
      ['a line separator', 'a\u2028b'], ['reversed letters', 'txt\u202eexe'], ['isolated letters', 'a\u2066b'],
      ['half a surrogate pair', '\ud800'], ['256 bytes', 'a'.repeat(256)], ['258 bytes in 86 characters', '€'.repeat(86)]
    ]

    for (const [what, name] of hostile) {
      it(`refuses ${what}`, () => {
        expect(nameProblem(name, 'linux')).to.be.a('string')
        expect(() => encodeHeader({ name: name as string, size: 0 })).to.throw()
      })
    }

    for (const name of ['con', 'NUL.txt', 'lpt1', 'a:b', 'a?', 'a*', 'a.', 'a ']) {
      it(`refuses ${name} on Windows only`, () => {
        expect(nameProblem(name, 'win32')).to.be.a('string')
        expect(nameProblem(name, 'linux')).to.be.undefined()
      })
    }

    it('never reach out of the directory', () => {
      fc.assert(fc.property(fc.string({ unit: fc.constantFrom('.', '/', '\\', '\0', 'a', ' ', '\u202e'), maxLength: 8 }), name => {
        if (nameProblem(name) == null) {
          expect(name).to.match(/^[a .]+$/)
          expect(new URL(encodeURIComponent(name), 'file:///d/').pathname.split('/')).to.have.lengthOf(3)
          expect(name).to.not.match(/^\./)
        }
      }), { numRuns: 1_000 })
    })

    it('count up before the extension', () => {
      expect(candidateName('a.txt', 0)).to.equal('a.txt')
      expect(candidateName('a.txt', 1)).to.equal('a (1).txt')
      expect(candidateName('a', 2)).to.equal('a (2)')
      expect(candidateName('a.tar.gz', 1)).to.equal('a.tar (1).gz')
      expect(candidateName('a.this is no extension', 1)).to.equal('a.this is no extension (1)')
    })

    it('stay allowed when they count up', () => {
      fc.assert(fc.property(names, fc.integer({ min: 1, max: 999 }), (name, attempt) => {
        const next = candidateName(name, attempt)

        expect(next).to.not.equal(name)
        expect(nameProblem(next)).to.be.undefined()
      }))
      expect(lengthOf(candidateName(`${'€'.repeat(80)}.txt`, 999))).to.be.at.most(MAX_NAME_LENGTH)
    })

    it('are cut between characters', () => {
      expect(cutBytes('a€😀', 8)).to.equal('a€😀')
      expect(cutBytes('a€😀', 7)).to.equal('a€')
      expect(cutBytes('a€😀', 3)).to.equal('a')
      expect(cutBytes('a€😀', 0)).to.equal('')
    })
  })

  describe('receipts', () => {
    it('come back as they were sent', () => {
      fc.assert(fc.property(names, name => {
        expect(decodeReceipt(encodeReceipt({ ok: true, name }).subarray(2))).to.deep.equal({ ok: true, name })
      }))
      expect(decodeReceipt(encodeReceipt({ ok: false, reason: 'full' }).subarray(2))).to.deep.equal({ ok: false, reason: 'full' })
    })

    it('never grow beyond their limit', () => {
      fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 10_000 }), reason => {
        expect(encodeReceipt({ ok: false, reason }).byteLength).to.be.at.most(MAX_RECEIPT_LENGTH + 2)
      }))
    })

    it('cannot steer a terminal', () => {
      expect(decodeReceipt(bytes('{"ok":false,"reason":"a\\u001b[2J\\nb\\u202e"}'))).to.deep.equal({ ok: false, reason: 'a\ufffd[2J b\ufffd' })
      expect(() => decodeReceipt(bytes('{"ok":true,"name":"a\\u001b"}'))).to.throw().with.property('name', 'FileProtocolError')
    })

    for (const body of ['{}', '{"ok":1}', '{"ok":true}', '{"ok":false}', '{"ok":"true","name":"f"}', '[true]']) {
      it(`refuses the receipt ${body}`, () => {
        expect(() => decodeReceipt(bytes(body))).to.throw().with.property('name', 'FileProtocolError')
      })
    }
  })

  describe('the reader', () => {
    it('says when the bytes end early', async () => {
      await expect(new ByteReader(pieces(new Uint8Array(3))).exactly(4)).to.eventually.be.rejected.with.property('name', 'UnexpectedEndError')
    })

    it('gives no more than is asked for, and then the rest', async () => {
      const reader = new ByteReader(pieces(new Uint8Array([1, 2, 3]), new Uint8Array([4])))

      await expect(reader.some(2)).to.eventually.deep.equal(new Uint8Array([1, 2]))
      await expect(reader.some(2)).to.eventually.deep.equal(new Uint8Array([3]))
      await expect(reader.some(2)).to.eventually.deep.equal(new Uint8Array([4]))
      await expect(reader.some(2)).to.eventually.be.undefined()
    })

    it('asks the source for nothing before the last answer is used up', async () => {
      let asked = 0

      async function * source (): AsyncGenerator<Uint8Array> {
        for (;;) {
          asked++
          yield new Uint8Array(10)
        }
      }

      const reader = new ByteReader(source())

      for (let read = 0; read < 10; read++) {
        await reader.some(1)
      }

      expect(asked).to.equal(1)
    })
  })
})
