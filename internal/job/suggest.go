package job

import (
	"fmt"
	"strings"
)

// foreign maps the words of other tools, written as normalize leaves them, to
// ours.
var foreign = map[string]string{
	"maxparallel": "workers", "parallel": "workers", "concurrency": "workers", "parallelism": "workers",
	"jobs": "workers", "processes": "workers", "procs": "workers", "nproc": "workers", "njobs": "workers",
	"numworkers": "workers", "maxworkers": "workers", "maxconcurrency": "workers", "threads": "workers",
	"cpus": "workers", "maxjobs": "workers", "pool": "workers", "poolsize": "workers",
	"cmd": "command", "script": "command", "run": "command", "exec": "command", "args": "command",
	"argv": "command", "program": "command", "executable": "command", "shell": "command", "entrypoint": "command",
	"func": "function", "fn": "function", "handler": "function", "map": "function", "mapper": "function",
	"mapfunction": "function", "mapfunc": "function", "functionname": "function", "module": "function",
	"callable": "function", "interpreter": "runtime", "python": "runtime", "pythonversion": "runtime",
	"node": "runtime", "nodejs": "runtime", "venv": "runtime", "virtualenv": "runtime", "language": "runtime",
	"reducer": "reduce", "reducefunction": "reduce", "reducefunc": "reduce", "mapreduce": "reduce", "fold": "reduce",
	"aggregate": "reduce", "combine": "reduce", "combiner": "reduce",
	"groupby": "reduce_by", "reducekey": "reduce_by", "reducebykey": "reduce_by", "objreducebykey": "reduce_by",
	"reduceroneperobject": "reduce_by", "partitionby": "reduce_by",
	"mapiterdata": "data", "inputs": "data", "input": "data", "items": "data", "item": "data", "foreach": "data", "withitems": "data",
	"arguments": "data", "params": "data", "parameters": "data", "iterdata": "data", "array": "data", "loop": "data",
	"cwd": "workdir", "directory": "workdir", "workingdirectory": "workdir", "workingdir": "workdir",
	"chdir": "workdir", "dir": "workdir", "wd": "workdir",
	"environment": "env", "envs": "env", "vars": "env", "variables": "env", "envvars": "env",
	"retry": "retries", "attempts": "retries", "maxattempts": "retries", "maxretries": "retries",
	"retrylimit": "retries", "retrycount": "retries", "tries": "retries",
	"timelimit": "timeout", "deadline": "timeout", "walltime": "timeout", "timeoutseconds": "timeout",
	"timeoutminutes": "timeout", "activedeadlineseconds": "timeout",
	"jobtimeout": "max_time", "totaltimeout": "max_time", "totaltime": "max_time", "maxduration": "max_time", "maxruntime": "max_time",
	"maxwalltime": "max_time", "jobdeadline": "max_time", "fsync": "durability", "sync": "durability", "durable": "durability",
	"chunk": "chunksize", "batch": "chunksize", "batchsize": "chunksize",
	"failfast": "on_failure", "halt": "on_failure", "continueonerror": "on_failure", "onerror": "on_failure",
	"keepgoing": "on_failure", "ignoreerrors": "on_failure",
	"jobname": "name", "title": "name", "label": "name", "id": "name",
	"memory": "limits.memory", "mem": "limits.memory", "ram": "limits.memory", "memorylimit": "limits.memory",
	"resources": "limits", "sandbox": "isolation", "container": "isolation",
	"include": "files", "includes": "files", "includemodules": "files", "uploads": "files",
	"outputformat": "output", "resultformat": "output",

	"data.files": "data.glob", "data.pattern": "data.glob", "data.file": "data.lines", "data.items": "data.list",
	"data.values": "data.list", "data.array": "data.list", "data.json": "data.jsonl", "data.ndjson": "data.jsonl",
	"data.jsonlines": "data.jsonl", "data.params": "data.matrix", "data.product": "data.matrix",
	"data.grid": "data.matrix", "data.tsv": "data.csv", "data.table": "data.csv", "data.stdin": "data.lines",
	"data.count": "data.range", "data.seq": "data.range", "data.text": "data.lines",
	"data.range.from": "data.range.start", "data.range.begin": "data.range.start", "data.range.first": "data.range.start",
	"data.range.to": "data.range.stop", "data.range.end": "data.range.stop", "data.range.last": "data.range.stop",
	"data.range.by": "data.range.step", "data.range.increment": "data.range.step",
	"data.csv.path": "data.csv.file", "data.csv.name": "data.csv.file", "data.csv.separator": "data.csv.delimiter",
	"data.csv.sep": "data.csv.delimiter", "data.csv.delim": "data.csv.delimiter",
	"retries.max": "retries.limit", "retries.count": "retries.limit", "retries.attempts": "retries.limit",
	"retries.maxattempts": "retries.limit", "retries.times": "retries.limit",
	"retries.delay": "retries.backoff", "retries.wait": "retries.backoff", "retries.maxdelay": "retries.max_backoff",
	"retries.when": "retries.on", "retries.resubmit": "retries.lost", "retries.maxlost": "retries.lost", "retries.crashes": "retries.lost",
	"reduce.func": "reduce.function", "reduce.fn": "reduce.function", "reduce.handler": "reduce.function",
	"reduce.reducer": "reduce.function", "reduce.name": "reduce.function", "reduce.module": "reduce.function",
	"reduce.reduce": "reduce.function", "reduce.interpreter": "reduce.runtime", "reduce.python": "reduce.runtime",
	"reduce.venv": "reduce.runtime", "reduce.node": "reduce.runtime", "reduce.by": "reduce_by", "reduce.key": "reduce_by",
	"reduce.groupby": "reduce_by", "reduce.group": "reduce_by", "reduce.field": "reduce_by",
	"limits.mem": "limits.memory", "limits.ram": "limits.memory", "limits.maxrss": "limits.memory",
}

func normalize(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(key))
}

// unknownKey words the error for key, which the mapping at path does not have:
// another tool's word, a key of another mapping, or a slip of the pen.
func unknownKey(all []Key, path, key string, known []string) string {
	prefix := ""
	if path != "" {
		prefix = path + "."
	}
	what := fmt.Sprintf("unknown key %q", short(key))
	for _, k := range known {
		if normalize(k) == normalize(key) {
			return what + fmt.Sprintf("; did you mean %q?", k)
		}
	}
	if ours, ok := foreign[prefix+normalize(key)]; ok {
		return what + fmt.Sprintf("; lithops calls it %q", strings.TrimPrefix(ours, prefix))
	}
	if near := nearest(key, known); near != "" {
		return what + fmt.Sprintf("; did you mean %q?", near)
	}
	for _, k := range all {
		if i := strings.LastIndexByte(k.Name, '.'); k.Name[i+1:] == key && i >= 0 {
			return what + fmt.Sprintf("; it belongs under %q", k.Name[:i])
		}
		if k.Name == key && path != "" {
			return what + fmt.Sprintf(" in %s; it belongs to the job itself", path)
		}
	}
	if path != "" {
		what += " in " + path
	}
	return what + "; known keys: " + strings.Join(known, ", ")
}

// nearest gives the known word that key is probably meant to be, or "".
func nearest(key string, known []string) string {
	best, bound := "", max(1, len(key)/3)+1
	if len(key) > 40 {
		return ""
	}
	for _, k := range known {
		if d := distance(strings.ToLower(key), k); d < bound && d < len(k) {
			best, bound = k, d
		}
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, row, before}
	}
	return rows[1][len(b)]
}

// short bounds foreign text in a message.
func short(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
