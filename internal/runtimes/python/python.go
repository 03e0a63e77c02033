// Package python holds the program that calls Python functions. A lithops worker
// starts it as
//
//	python runtime.py FILE NAME...
//
// with requests on descriptor 3 and replies on descriptor 4. It needs Python 3.8
// or newer and nothing but its standard library; an older Python is told so by it
// over descriptor 4.
package python

import _ "embed"

// Source is the program, one file.
//
//go:embed runtime.py
var Source []byte
