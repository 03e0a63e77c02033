package stats

// KeySet is a set of keys for ParseKeys. The zero value is empty.
type KeySet struct{ bits [2]uint64 } // one bit for each of fields

// NewKeySet makes a set of keys. It panics on a key that is not in Fields: keys
// a user typed are checked with FieldOf first.
func NewKeySet(keys ...string) KeySet {
	var s KeySet
	for _, key := range keys {
		i, ok := byKey[key]
		if !ok {
			panic("stats: no key " + key)
		}
		s.add(i)
	}
	return s
}

// AllKeys is the set of all keys.
func AllKeys() KeySet {
	var s KeySet
	for i := range fields {
		s.add(i)
	}
	return s
}

// Has says whether key is in the set.
func (s KeySet) Has(key string) bool {
	i, ok := byKey[key]
	return ok && s.has(i)
}

// Union is the set of the keys in s or t.
func (s KeySet) Union(t KeySet) KeySet {
	for i := range s.bits {
		s.bits[i] |= t.bits[i]
	}
	return s
}

func (s *KeySet) add(i int)     { s.bits[i>>6] |= 1 << (i & 63) }
func (s KeySet) has(i int) bool { return s.bits[i>>6]>>(i&63)&1 != 0 }
