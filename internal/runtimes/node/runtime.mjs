// Calls the functions of a JavaScript file for a lithops worker, as docs/protocol.md
// has it:
//
//     node runtime.mjs FILE NAME...
//
// Requests come on descriptor 3 and are read with a read that blocks, which is twice
// as fast as a stream. The event loop therefore turns while a call's promise is
// awaited, once after it, and about once a millisecond between calls that return at
// once. What goes wrong in the background (an exception in a timer's callback, a
// rejection nobody handles) is the error of the call that is awaited then; without
// one it is printed, and the runtime goes on.
//
// Nothing here is newer than what Node 12 can parse, so that an old one gets as far
// as saying that it is too old.

import fs from 'fs';
import path from 'path';
import url from 'url';
import util from 'util';

// The user's code may replace any of these; the runtime keeps the real ones.
const { closeSync, fstatSync, openSync, readSync, writeSync } = fs;
const { stringify, parse } = JSON;
const { getPrototypeOf } = Object;
const { isArray } = Array;
const { apply, ownKeys } = Reflect;
const { isFinite } = Number;
const later = setImmediate;
const RealPromise = Promise;
const now = process.hrtime.bigint;
const usage = process.resourceUsage.bind(process);
const exit = process.exit.bind(process);
const owns = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

const requests = 3, replies = 4;
const atomic = 1024; // characters of a line that a pipe takes whole: at most 3 bytes each, and it takes 4 KiB
const mostResult = 128 << 20; // bytes
const mostText = 64 << 10; // characters of a message or a stack
const mostArguments = 50000; // of a call: they lie on the stack
const turnEvery = BigInt(1000000); // ns

let functions = []; // by the index in the request
let pending = null; // the call whose promise is awaited
let loading = true;
let lastUncaught; // while loading
let turned = BigInt(0); // when the event loop turned last
let clearRefs = -1; // sets the peak of resident memory back; Linux only
let logEnd = 0;

// Refusal is an error of ours: it has a type and a message, and no stack.
class Refusal {
  constructor(type, message) {
    this.type = type;
    this.message = message;
  }
}

// ---- requests and replies

const least = 64 << 10; // what a read has room for; a packet is at most 4 KiB
let buffer = Buffer.allocUnsafe(2 * least), begin = 0, end = 0;

function nextRequest() {
  const line = nextLine();
  try {
    return line === null ? null : parse(line);
  } catch (e) {
    note(`lithops: the worker sent what is no request: ${cut(line, 60)}`);
    exit(1);
  }
}

// nextLine is null at the end of input. It reads only when there is no complete
// line: the worker takes back what was not read.
function nextLine() {
  for (let fresh = end - begin; ; ) { // bytes, at the end, that were not looked at
    const at = buffer.subarray(end - fresh, end).indexOf(10);
    if (at >= 0) {
      const lineEnd = end - fresh + at;
      const line = buffer.toString('utf8', begin, lineEnd);
      begin = lineEnd + 1;
      if (begin === end) {
        begin = end = 0;
        if (buffer.length > 2 * least) buffer = Buffer.allocUnsafe(2 * least);
      }
      return line;
    }
    if (buffer.length - end < least) makeRoom();
    fresh = read();
    if (fresh === 0) return null;
    end += fresh;
  }
}

function makeRoom() {
  const size = end - begin;
  const old = buffer;
  buffer = Buffer.allocUnsafe(2 * Math.max(least, size));
  old.copy(buffer, 0, begin, end);
  begin = 0;
  end = size;
}

function read() {
  for (;;) {
    try {
      return readSync(requests, buffer, end, buffer.length - end, null);
    } catch (e) {
      tryAgain(e);
    }
  }
}

function send(line) {
  if (line.length <= atomic) {
    try {
      writeSync(replies, line);
      return;
    } catch (e) {
      tryAgain(e);
    }
  }
  const bytes = Buffer.from(line);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(replies, bytes, at, bytes.length - at);
    } catch (e) {
      tryAgain(e);
    }
  }
}

// tryAgain returns when a read or a write is to be repeated; else the worker is gone.
function tryAgain(e) {
  if (e.code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1); // not ours to make blocking
  else if (e.code !== 'EINTR') exit(1);
}

function note(text) {
  try {
    writeSync(2, text + '\n');
  } catch (e) {
    // nobody reads the log
  }
}

function fatal(e) {
  send(`{"fatal":${describe(e)}}\n`);
  exit(1);
}

// ---- calls

function serve() {
  turned = now();
  for (;;) {
    const request = nextRequest();
    if (request === null) {
      later(exit, 0); // after what is due already
      return;
    }
    const ended = handle(request);
    if (ended === null) return; // the call goes on
    if (ended - turned > turnEvery) {
      later(serve);
      return;
    }
  }
}

// handle answers a request and returns when its call ended, or null when the call
// is not over yet.
function handle(request) {
  const id = request.id;
  const f = functions[request.f === undefined ? 0 : request.f];
  let args;
  try {
    const isList = request.list !== undefined;
    args = fit(f, isList ? readList(request.list, request.count) : request.input, id, isList);
  } catch (e) {
    const at = now(), u = usage();
    finish({ id, f, before: u, start: at }, at, u, e, true);
    return at;
  }
  return run({ id, f, before: null, start: null }, args);
}

function run(call, args) {
  resetPeak();
  call.before = usage();
  call.start = now();
  let value, failed = false;
  try {
    value = apply(call.f.fn, call.f.self, args);
    if (value !== null && (typeof value === 'object' || typeof value === 'function') && typeof value.then === 'function') {
      pending = call;
      RealPromise.resolve(value).then((v) => settle(call, v, false), (e) => settle(call, e, true));
      return null;
    }
  } catch (e) {
    value = e;
    failed = true;
    if (pending === call) pending = null;
  }
  const at = now();
  finish(call, at, usage(), value, failed);
  return at;
}

// settle ends an awaited call. Its promise may come too late: see uncaught.
function settle(call, value, failed) {
  if (pending !== call) return;
  pending = null;
  finish(call, now(), usage(), value, failed);
  later(serve);
}

function finish(call, at, after, value, failed) {
  let tail;
  if (!failed) {
    try {
      tail = `"output":${encode(call.f, value)}`;
    } catch (e) {
      failed = true;
      value = e;
    }
  }
  if (failed) tail = `"error":${describe(value)}`;
  const b = call.before, a = after;
  send(`{"id":${call.id},"m":[${call.start},${at},${a.userCPUTime - b.userCPUTime},${a.systemCPUTime - b.systemCPUTime},` +
    `${a.minorPageFault - b.minorPageFault},${a.majorPageFault - b.majorPageFault},${a.fsRead - b.fsRead},${a.fsWrite - b.fsWrite},` +
    `${a.voluntaryContextSwitches - b.voluntaryContextSwitches},${a.involuntaryContextSwitches - b.involuntaryContextSwitches},` +
    `${peak(b, a)},${logSize()}],${tail}}\n`);
}

function uncaught(e) {
  if (pending !== null) {
    settle(pending, e, true);
    return;
  }
  if (loading) lastUncaught = e;
  let what = 'an error that cannot be shown';
  try {
    what = stackOf(e, 0);
  } catch (_) {
    // so be it
  }
  note(`lithops: error in the background, while no function runs:\n${what}`);
}

// idle is called when the event loop has nothing left to wait for.
function idle() {
  if (pending !== null) {
    settle(pending, new Refusal('Error', `${pending.f.name} returned a promise that can never settle`), true);
  } else if (loading) {
    fatal(lastUncaught || new Refusal('Error', `${file()} awaits a promise that can never settle`));
  }
}

function resetPeak() {
  if (clearRefs < 0) return;
  try {
    writeSync(clearRefs, '5');
  } catch (e) {
    clearRefs = -1;
  }
}

// peak of a call in bytes, 0 when it cannot be told. One that has risen is the call's,
// set back or not.
function peak(before, after) {
  if (before === after) return 0; // there was no call
  return clearRefs >= 0 || after.maxRSS > before.maxRSS ? after.maxRSS * 1024 : 0;
}

// logSize: standard output is the log file, and is written to without delay.
function logSize() {
  try {
    logEnd = fstatSync(1).size;
  } catch (e) {
    // the function closed it
  }
  return logEnd;
}

// readList reads the results that a reduce task gets.
function readList(name, count) {
  const list = [], chunk = Buffer.allocUnsafe(1 << 20);
  let parts = [];
  const add = (bytes) => {
    const line = parts.length === 0 ? bytes : Buffer.concat([...parts, bytes]);
    parts = [];
    try {
      list.push(parse(line.toString()));
    } catch (e) {
      throw new Refusal('Error', `${name}:${list.length + 1}: ${e.message}`);
    }
  };
  let fd;
  try {
    fd = openSync(name, 'r');
    for (let n; (n = readSync(fd, chunk, 0, chunk.length, null)) > 0; ) {
      let from = 0;
      for (let at; (at = chunk.subarray(from, n).indexOf(10)) >= 0; from += at + 1) add(chunk.subarray(from, from + at));
      if (from < n) parts.push(Buffer.from(chunk.subarray(from, n)));
    }
  } catch (e) {
    throw e instanceof Refusal ? e : new Refusal('Error', `cannot read the list of results: ${e.message}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  if (parts.length > 0) add(Buffer.alloc(0));
  if (list.length !== count) throw new Refusal('Error', `${name} has ${list.length} results instead of ${count}`);
  return list;
}

// ---- arguments

// fit makes the arguments of a call out of an item, or of the list of results.
function fit(f, item, id, isList) {
  if (f.slots === null) return [item];
  if (item !== null && typeof item === 'object') {
    if (!isArray(item)) {
      if (canSpread(f, item)) return spread(f, item, id);
    } else if ((f.required > 1 || f.rest) && item.length >= f.required && (f.rest || item.length <= f.slots.length)) {
      if (item.length > mostArguments) throw unfit(f, item, isList, `it has ${item.length} elements, more than there can be arguments; take it as one`);
      return fill(f, item, id);
    }
  }
  if (f.slots.length === 0 && !f.rest) {
    if (f.id >= 0) return [id];
    throw unfit(f, item, isList, 'it has no parameters');
  }
  if (f.required > 1) throw unfit(f, item, isList, misfit(f, item));
  return fill(f, [item], id);
}

function fill(f, values, id) {
  const args = [];
  const n = Math.min(f.slots.length, values.length);
  for (let k = 0; k < n; k++) args[f.slots[k]] = values[k];
  if (f.id >= 0) args[f.id] = id;
  for (let k = n; k < values.length; k++) args.push(values[k]);
  return args;
}

// canSpread: every required parameter is a key, and every key is a parameter.
function canSpread(f, item) {
  if (!f.named) return false;
  for (let k = 0; k < f.required; k++) {
    const name = f.names[k];
    if (name === null || !owns(item, name)) return false;
  }
  for (const key in item) if (!f.index.has(key)) return false;
  return true;
}

function spread(f, item, id) {
  const args = [];
  if (f.id >= 0) args[f.id] = id;
  for (const key in item) args[f.index.get(key)] = item[key];
  return args;
}

// misfit says why an item does not fit a function with two or more required
// parameters.
function misfit(f, item) {
  if (isArray(item)) {
    const most = f.slots.length, span = f.rest ? `at least ${f.required}` : f.required === most ? most : `${f.required} to ${most}`;
    return `it has ${item.length} element${item.length === 1 ? '' : 's'}, not ${span}`;
  }
  const needed = f.names.slice(0, f.required);
  if (item === null || typeof item !== 'object' || needed.includes(null)) {
    return quoted('missing argument', needed.slice(1).map((name, k) => (name === null ? String(k + 2) : name)));
  }
  const absent = needed.filter((name) => !owns(item, name)), strange = Object.keys(item).filter((key) => !f.index.has(key));
  return [quoted('missing argument', absent), quoted('unexpected key', strange)].filter((said) => said !== '').join('; ');
}

function quoted(what, names) {
  if (names.length === 0) return '';
  return `${what}${names.length > 1 ? 's' : ''} ${names.slice(0, 10).map((name) => `'${cut(name, 60)}'`).join(', ')}${names.length > 10 ? ', ...' : ''}`;
}

function unfit(f, item, isList, why) {
  const what = isList ? `list of ${item.length} results` : `item ${cut(stringify(item), 60)}`;
  return new Refusal('TypeError', `${f.signature} cannot take the ${what}: ${why}`);
}

// ---- parameters

// plan says how a function is called. slots are the positions of the parameters an
// item is for, that is without id and rest, and null when they cannot be told; names
// are theirs, null for one that is taken apart ({a, b}). index has the positions by
// name, id included; named says that an object can be spread over them.
function plan(name, fn, self) {
  const f = { name, fn, self, signature: `${name}(...)`, slots: null, names: [], index: new Map(), id: -1, required: 0, rest: false, named: false };
  const list = parameters(Function.prototype.toString.call(fn));
  if (list === null || lengthOf(list) !== fn.length) return f;
  f.slots = [];
  list.forEach((p, at) => {
    if (p.rest) {
      f.rest = true;
      return;
    }
    if (p.name !== null) f.index.set(p.name, at);
    if (p.name === 'id') {
      f.id = at;
      return;
    }
    f.slots.push(at);
    f.names.push(p.name);
    if (at < fn.length) f.required++;
  });
  f.named = f.slots.length === 0 ? list.length > 0 : f.names.some((p) => p !== null);
  f.signature = `${name}(${cut(list.map((p) => p.text).join(', '), 200)})`;
  return f;
}

// lengthOf is what a function with these parameters has as its length.
function lengthOf(list) {
  const at = list.findIndex((p) => p.rest || p.optional);
  return at < 0 ? list.length : at;
}

const blank = /^(?:\s|\/\/|\/\*)/;
const word = /^[\p{ID_Start}$_]/u;
const token = /\s+|\/\/.*|\/\*[^]*?\*\/|'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"|[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*|\d[\w.]*|\.\.\.|=>|[^]/uy;
const regexp = /\/(?:[^/\\[\n*]|\\.|\[(?:[^\]\\\n]|\\.)*\])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])*\/\w*/y;

// parameters reads a function's parameter list out of its source, or returns null
// when there is none to be found, as in what is not written in JavaScript.
function parameters(source) {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) return null;
  let list = null, p = null, depth = 0, before = '';
  for (let at = 0; at < source.length; ) {
    const from = at;
    at = tokenEnd(source, at, before);
    const t = source.slice(from, at);
    if (blank.test(t)) continue;
    if (list === null && depth === 0) {
      if (t === '=>') return [{ name: before, rest: false, optional: false, text: before }];
      if (t === '(') list = [];
    } else if (depth === 1 && list !== null && (t === ',' || t === ')')) {
      if (p !== null) list.push(p);
      p = null;
    } else if (list !== null) {
      if (p === null) p = { name: word.test(t) ? t : null, rest: t === '...', optional: false, from };
      if (depth === 1 && t === '=') p.optional = true;
      p.text = cut(source.slice(p.from, at).replace(/\s+/g, ' '), 60);
    }
    if ('([{'.includes(t)) depth++;
    if (')]}'.includes(t)) depth--;
    if (list !== null && depth === 0) return list;
    before = t;
  }
  return null;
}

function tokenEnd(source, at, before) {
  if (source[at] === '`') return templateEnd(source, at + 1);
  regexp.lastIndex = token.lastIndex = at;
  if (source[at] === '/' && !/[\w$)\]}'"`]$/.test(before) && regexp.test(source)) return regexp.lastIndex;
  token.test(source);
  return token.lastIndex;
}

function templateEnd(source, at) {
  while (at < source.length) {
    const c = source[at++];
    if (c === '\\') at++;
    else if (c === '`') return at;
    else if (c === '$' && source[at] === '{') {
      let depth = 0, before = '';
      do {
        const from = at;
        at = tokenEnd(source, at, before);
        before = source.slice(from, at);
        if (before === '{') depth++;
        if (before === '}') depth--;
      } while (depth > 0 && at < source.length);
    }
  }
  return at;
}

// ---- results

function encode(f, value) {
  let text;
  try {
    text = simple(value, 0) ? stringify(value) : stringify(value, strict(f));
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    if (e.message === 'Maximum call stack size exceeded') throw notJSON(f, 'nested too deeply');
    if (e.message === 'Invalid string length') throw tooLarge(f, 'more than 500000000');
    throw e;
  }
  if (text === undefined) return 'null';
  if (text.length > mostResult / 3) {
    const size = Buffer.byteLength(text);
    if (size > mostResult) throw tooLarge(f, size);
  }
  return text;
}

function tooLarge(f, size) {
  return new Refusal('RangeError', `result of ${f.name} is ${size} bytes as JSON, more than the ${mostResult} that are taken; write it to a file and return its name`);
}

function notJSON(f, what) {
  return new Refusal('TypeError', `result of ${f.name} is not JSON: ${what}`);
}

// simple says that a value holds nothing but what JSON has. What it does not know,
// or is nested deeply, is for strict, which takes some times as long.
function simple(v, depth) {
  switch (typeof v) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return isFinite(v);
    case 'object':
      break;
    default:
      return false;
  }
  if (v === null) return true;
  if (depth > 64 || v.toJSON !== undefined) return false;
  if (isArray(v)) {
    for (let i = 0; i < v.length; i++) if (!simple(v[i], depth + 1)) return false;
    return true;
  }
  if (!plain(v)) return false;
  for (const key in v) if (!simple(v[key], depth + 1)) return false;
  return true;
}

function plain(v) {
  const proto = getPrototypeOf(v);
  return proto === Object.prototype || proto === null;
}

// strict is a replacer that changes nothing and refuses what JSON.stringify would
// leave out or make something else of.
function strict(f) {
  const holders = [], keys = []; // the way down: keys[i] leads to holders[i]
  return function (key, v) {
    while (holders.length > 0 && holders[holders.length - 1] !== this) {
      holders.pop();
      keys.pop();
    }
    if (holders.length === 0) {
      holders.push(this); // JSON.stringify puts the value into an object first
      keys.push('');
      key = null;
    }
    const what = holders.includes(v) ? 'circular reference' : foreign(v);
    if (what !== '') {
      const steps = [...keys.slice(2), key].map((k, i) => (isArray(holders[i + 1]) ? `[${k}]` : `[${stringify(k)}]`));
      throw notJSON(f, key === null ? what : `${what} at ${steps.join('')}`);
    }
    if (v !== null && typeof v === 'object') {
      holders.push(v);
      keys.push(key);
    }
    return v;
  };
}

// foreign says what a value is that JSON does not have, '' if it is none.
function foreign(v) {
  switch (typeof v) {
    case 'number':
      return isFinite(v) ? '' : String(v);
    case 'bigint':
      return 'BigInt';
    case 'function':
    case 'symbol':
      return typeof v;
    case 'object':
      break;
    default:
      return '';
  }
  if (v === null || isArray(v) || plain(v)) return '';
  const kind = Object.prototype.toString.call(v).slice('[object '.length, -1);
  switch (kind) {
    case 'Object':
    case 'String':
    case 'Boolean':
      return '';
    case 'Number':
      return foreign(Number(v));
    case 'Promise':
      return 'Promise that was not awaited';
  }
  return nameOf(v) || kind;
}

function nameOf(v) {
  const c = v.constructor;
  return typeof c === 'function' && typeof c.name === 'string' ? c.name : '';
}

// ---- errors

// describe is an error as a reply has it.
function describe(e) {
  try {
    if (e instanceof Refusal) return stringify({ type: e.type, message: cut(e.message) });
    if (!isError(e)) return stringify({ type: e === null ? 'null' : typeof e, message: cut(show(e)) });
    return stringify({ type: typeOf(e), message: cut(withoutUs(e.message)), stack: cut(stackOf(e, 0)) });
  } catch (_) {
    return '{"type":"Error","message":"an error that cannot be shown"}';
  }
}

function isError(e) {
  return e !== null && typeof e === 'object' && typeof e.message === 'string' && typeof e.stack === 'string';
}

const general = ['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'];

// typeOf is the error's own name, or its class where it has only inherited one.
// Node's own errors are of a class NodeError, which says nothing.
function typeOf(e) {
  const name = typeof e.name === 'string' ? e.name : '', made = nameOf(e);
  if (name !== '' && !general.includes(name)) return name;
  return made === '' || made === 'NodeError' ? name || 'Error' : made;
}

function show(e) {
  if (e !== null && typeof e === 'object') return typeof e.message === 'string' ? e.message : util.inspect(e);
  return String(e);
}

// stackOf is the stack without our own and node's inner frames, with the errors that
// caused it.
function stackOf(e, depth) {
  if (e instanceof Refusal) return `${e.type}: ${e.message}`;
  if (!isError(e)) return show(e);
  const lines = [];
  for (const line of e.stack.split('\n')) {
    const frame = /^\s+at /.test(line);
    if (frame && line.includes(import.meta.url)) break;
    if (!frame || !line.includes('node:internal/')) lines.push(withoutUs(line));
  }
  let text = lines.join('\n').trimEnd();
  if (depth > 4) return text;
  if (isArray(e.errors)) for (const one of e.errors.slice(0, 10)) text += `\nOne of its errors: ${stackOf(one, depth + 1)}`;
  if (e.cause !== undefined) text += `\nCaused by: ${stackOf(e.cause, depth + 1)}`;
  return text;
}

function withoutUs(text) {
  return text.replace(` imported from ${url.fileURLToPath(import.meta.url)}`, '');
}

function cut(text, most = mostText) {
  return text.length > most ? text.slice(0, most - 3) + '...' : text;
}

// ---- loading

function file() {
  return path.basename(functionFile);
}

async function load() {
  const at = url.pathToFileURL(functionFile).href;
  try {
    return await import(at);
  } catch (e) {
    fatal(await explain(e, at));
  }
}

// explain adds to a syntax error what node tells of it only when it ends by it: the
// place, for which another node links the file and its imports, without running
// them; and what to do about one that comes of the file's name.
async function explain(e, at) {
  if (!(e instanceof SyntaxError)) return e;
  if (e.stack.startsWith('SyntaxError')) {
    const { spawnSync } = await import('child_process');
    const program = `import "data:text/javascript,process.exit(0)"; import ${stringify(at)}`;
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', timeout: 10000 });
    const place = /^(?:file:\/)?\/.*:\d+\n[^]*?(?=^SyntaxError)/m.exec(stderr || '');
    if (place !== null) e.stack = place[0] + e.stack;
  }
  if (/^(Unexpected token 'export'|Cannot use import statement outside a module)/.test(e.message)) {
    e.message += `; name the file ${file().replace(/\.c?js$/, '.mjs')}, or have a package.json next to it with "type": "module"`;
  }
  return e;
}

// find resolves a name among what a file exports: by that name, or in its default
// export, which is all that some CommonJS files seem to have.
function find(exported, name) {
  const main = exported.default;
  const self = main !== null && typeof main === 'object' ? main : undefined;
  if (owns(exported, name) && (name !== 'default' || typeof main === 'function')) {
    return { value: exported[name], self: self !== undefined && self[name] === exported[name] ? self : undefined };
  }
  if (main === null || (typeof main !== 'object' && typeof main !== 'function')) return { value: undefined };
  const value = main[name];
  if (value !== undefined && value !== Object.prototype[name] && value !== Function.prototype[name]) return { value, self: main };
  return { value: typeof main === 'function' && main.name === name ? main : undefined };
}

// names lists the functions a file exports.
function names(exported) {
  const all = new Set();
  const add = (object) => {
    for (const key of ownKeys(object)) if (typeof key === 'string') all.add(key);
  };
  add(exported);
  const main = exported.default;
  if (main !== null && typeof main === 'object') {
    for (let o = main; o !== null && o !== Object.prototype; o = getPrototypeOf(o)) add(o);
  } else if (typeof main === 'function') {
    Object.keys(main).forEach((key) => all.add(key));
    all.add(main.name);
  }
  return [...all].filter((name) => !['', 'constructor', 'module.exports'].includes(name) && isFunction(find(exported, name).value)).sort();
}

function isFunction(value) {
  return typeof value === 'function' && !isClass(value);
}

function isClass(value) {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

function resolve(exported, name) {
  const { value, self } = find(exported, name);
  if (isFunction(value)) return plan(name, value, self);
  if (value !== undefined) {
    throw new Refusal('UnknownFunction', `"${name}" in ${file()} is not a function: it is ${isClass(value) ? 'a class' : value === null ? 'null' : `of type ${typeof value}`}`);
  }
  const has = names(exported), like = nearest(name, has);
  let message = `${file()} has no function "${name}"`;
  if (like !== '') message += `; did you mean "${like}"?`;
  if (has.length > 0) message += `; it has: ${has.slice(0, 20).join(', ')}${has.length > 20 ? ', ...' : ''}`;
  else message += `; it exports none: write "export" before the function, or in CommonJS module.exports = { ${name} }`;
  throw new Refusal('UnknownFunction', message);
}

// nearest is the name most like s, or ''.
function nearest(s, all) {
  const same = (name) => name.toLowerCase().replace(/_/g, '');
  let best = '', smallest = 1 + Math.max(1, Math.floor(s.length / 3));
  for (const name of all) {
    const d = same(s) === same(name) ? 0 : distance(s.toLowerCase(), name.toLowerCase());
    if (d < smallest && d < name.length) {
      best = name;
      smallest = d;
    }
  }
  return best;
}

// distance counts insertions, deletions, replacements and swaps of neighbours.
function distance(a, b) {
  let old = [], last = [], row = [...Array(b.length + 1).keys()];
  for (let i = 1; i <= a.length; i++) {
    old = last;
    last = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], old[j - 2] + 1);
    }
  }
  return row[b.length];
}

const [functionFile, ...wanted] = process.argv.splice(2);

async function main() {
  if (parseInt(process.versions.node, 10) < 18) {
    throw new Refusal('Error', `Node.js ${process.versions.node} (${process.execPath}) is too old: version 18 or newer is needed; name another one by runtime:`);
  }
  const exported = await load();
  functions = wanted.map((name) => resolve(exported, name));
  try {
    clearRefs = openSync('/proc/self/clear_refs', 'w');
  } catch (e) {
    // not there, or not allowed
  }
  resetPeak();
  logSize();
  usage(); // the first time takes longer
  now();
  loading = false;
  send(`{"ready":{"language":"Node.js ${process.versions.node}"}}\n`);
  later(serve);
}

process.on('uncaughtException', uncaught);
process.on('unhandledRejection', uncaught);
process.on('beforeExit', idle);
main().catch(fatal);
