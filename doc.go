// Package lithops calls a function over many inputs on a pool of worker processes
// and records where the time, CPU, memory and network of each call went. It is
// modelled on the Python library Lithops.
//
// A program makes its functions in variables, begins main with Init, and calls them
// by an Executor:
//
//	var double = lithops.Func("double", func(ctx context.Context, x int) (int, error) {
//		return 2 * x, nil
//	})
//
//	func main() {
//		lithops.Init()
//		exec, err := lithops.New(lithops.WithWorkers(4))
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer exec.Close()
//		futures, err := lithops.Map(context.Background(), exec, double, []int{1, 2, 3})
//		if err != nil {
//			log.Fatal(err)
//		}
//		results, err := futures.Results(context.Background()) // [2 4 6]
//	}
//
// The workers are the same program, started again: Init makes such a process a
// worker and does not return in it. So it must come first, before flags are parsed,
// files opened or anything printed; in tests it belongs into TestMain. A worker
// knows the functions by the names they were made with, which is why Func panics
// after Init.
//
// # Calls
//
// CallAsync makes one call, Map one for each item of a slice or a sequence, and
// MapReduce goes on to call a function made by ReduceFunc with all results. Each
// is a job with an id. They return when the items are in the store; what comes of
// them is told by a Future or a FutureList.
//
// Items and results cross between processes as JSON, made by encoding/json, and
// nothing else does: fields that are not exported are lost, and functions, channels
// and what refers to other memory cannot cross. Large data belong into files whose
// names are passed.
//
// # Failures
//
// An error that a function returns, a panic, and the death of its process are the
// failure of one call, which the others do not notice; a TaskError tells of it.
// WithTimeout limits a call, WithRetries repeats those that failed, and a call whose
// process was killed from outside is repeated in any case. So a function should do
// no harm when it is called twice with one item.
//
// The context given to Map is the job's: when it ends, so does the job. The
// library does nothing about signals. A program that is killed takes its workers
// with it; one that wants to end in good order uses signal.NotifyContext.
//
// # Statistics
//
// Future.Stats has about sixty figures for each call, those of Lithops among them
// by their names, and Executor.Plot draws them. All jobs are kept in a store, which
// the command line shares: `lithops stats last` and `lithops plot last` show what a
// program has run, also while it runs. Executor.Clean removes an executor's jobs.
//
// While a job runs the program may start processes of its own as it likes.
package lithops
