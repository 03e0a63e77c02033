// Package node holds the program that calls JavaScript functions. A lithops worker
// starts it as
//
//	node runtime.mjs FILE NAME...
//
// with requests on descriptor 3 and replies on descriptor 4. It needs Node.js 18 or
// newer and no packages; an older one is told so by it over descriptor 4.
package node

import _ "embed"

// Source is the program, one file. Its name has to end in .mjs.
//
//go:embed runtime.mjs
var Source []byte
