"""Global names of JavaScript, Node and browsers."""

from __future__ import annotations

_NAMES = """
AbortController AbortSignal AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array
BigUint64Array Blob Boolean Buffer CustomEvent DOMException DOMParser DataView Date Element Error
EvalError Event EventTarget File FileReader FinalizationRegistry Float32Array Float64Array FormData
Function HTMLElement Headers Image Infinity Int16Array Int32Array Int8Array Intl Iterator JSON JSX
Map Math MessageChannel MutationObserver NaN Node NodeJS NodeList Number Object Promise Proxy
RangeError ReadableStream ReferenceError Reflect RegExp Request Response Set SharedArrayBuffer
String Symbol SyntaxError TextDecoder TextEncoder TypeError URIError URL URLSearchParams Uint16Array
Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly WebSocket Worker
WritableStream XMLHttpRequest __dirname __filename arguments atob btoa cancelAnimationFrame
clearImmediate clearInterval clearTimeout console crypto customElements decodeURI decodeURIComponent
document encodeURI encodeURIComponent escape eval exports fetch getComputedStyle global globalThis
history isFinite isNaN localStorage location module navigator parseFloat parseInt performance
process queueMicrotask requestAnimationFrame require self sessionStorage setImmediate setInterval
setTimeout structuredClone undefined unescape window
"""
BUILTINS = frozenset(_NAMES.split())
