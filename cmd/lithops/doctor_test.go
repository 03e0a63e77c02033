package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/lithops-go/lithops/internal/doctor"
)

var findings = []doctor.Finding{
	{Name: "cpus", Status: doctor.OK, Found: "4"},
	{Name: "open files", Status: doctor.Limited, Found: "few <40>\nof them", Hint: "raise & go"},
}

func TestDoctorsTable(t *testing.T) {
	var out strings.Builder
	if err := writeDoctor(&out, findings); err != nil {
		t.Fatal(err)
	}
	want := `check       status   found
cpus        ok       4
open files  limited  few <40>
                     of them
                     hint: raise & go
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestDoctorsJSON(t *testing.T) {
	var out strings.Builder
	if err := writeDoctorJSON(&out, findings); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"name": "cpus", "status": "ok", "found": "4", "hint": nil},
		{"name": "open files", "status": "limited", "found": "few <40>\nof them", "hint": "raise & go"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
