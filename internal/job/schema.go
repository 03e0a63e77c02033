package job

import (
	"bytes"
	"encoding/json"
)

// Schema is the JSON Schema (draft 2020-12) of the job file, for editors and
// for `lithops schema`. It is made of the table that the decoder reads with; what
// a schema cannot say (a sound template, an existing file) only Parse checks.
func Schema() []byte {
	root := table().schema()
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "lithops job"
	root["required"] = []string{"data"}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic(err) // strings, numbers, maps and lists cannot fail to encode
	}
	return b.Bytes()
}
