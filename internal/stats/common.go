package stats

import "bytes"

// What all lines of a segment have in common stands once, in its first line: keys that
// a line leaves out have their values from there, and are null where that has none
// either. Of a short call this is half of the keys.

const commonMark = `{"common":true`

// commonKeys are those a first line can have: all but what tells attempts apart.
var commonKeys = selectKeys(func(f Field) bool {
	return f.Owner == ByWorker && f.Key != "task" && f.Key != "attempt" && f.Key != "state"
})

// AppendCommonLine appends the first line of a segment, with a checksum.
func AppendCommonLine(b []byte, common *Record) []byte {
	start := len(b)
	b = appendMembers(append(b, commonMark...), common, commonKeys, &nothing, 0)
	return Seal(b, start)
}

// ParseCommon reads a line that AppendCommonLine wrote, unsealed. It is not ok when the
// line is another.
func ParseCommon(obj []byte) (common Record, ok bool, err error) {
	if !bytes.HasPrefix(obj, []byte(commonMark)) {
		return common, false, nil
	}
	err = ParseKeys(obj, &common, everyKey)
	return common, true, err
}

// AppendSegmentLine is AppendWorkerLine for a line of a segment that begins with common.
func AppendSegmentLine(b []byte, r, common *Record) []byte {
	return appendLine(b, r, workerKeys, common)
}

// same says whether a field that is neither an Int nor a Sec has the same value in both
// records.
func (f *Field) same(r, other *Record) bool {
	switch at := f.kind.(type) {
	case func(*Record) *Float:
		return *at(r) == *at(other)
	case func(*Record) *Bool:
		return *at(r) == *at(other)
	case textAt:
		return *at(r) == *at(other)
	case listAt:
		return *at(r) == nil && *at(other) == nil
	}
	return false // number, attempt and state stand in every line
}
