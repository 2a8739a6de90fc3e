/*
 * The platform's names that the promises in src/interface may mention, as types without a value:
 * `signal?: AbortSignal` compiles with tsconfig.core.json, `new AbortController()` does not.
 * They are a minimum on purpose; the build checks the same files against the real ones.
 */
interface Event {
  readonly type: string
}

interface CustomEvent<T = any> extends Event {
  readonly detail: T
}

interface EventTarget {
  addEventListener (type: string, listener: any, options?: any): void
  removeEventListener (type: string, listener: any, options?: any): void
  dispatchEvent (event: Event): boolean
}

interface AbortSignal extends EventTarget {
  readonly aborted: boolean
  readonly reason: any
}

interface ReadableStream<R = any> {
  readonly locked: boolean
  // without a use the parameter would make streams of all things assignable to each other
  readonly '~chunk'?: R
}

interface WritableStream<W = any> {
  readonly locked: boolean
  readonly '~chunk'?: W
}
