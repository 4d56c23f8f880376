// Package quantity reads the amounts that a tester writes, in sentences and in service files alike:
// lengths of time, sizes, rates and shares.
//
//	"1m30s", "5 seconds"        ──Duration──►  time.Duration
//	"64 MiB", "1 GB"            ──Size──────►  bytes
//	"1 Mbit/s"                  ──BitRate───►  bits per second
//	"10 requests per second"    ──RequestRate► requests per second
//	"0.5%"                      ──Share─────►  0.005
//
// A number without a unit is refused: what `5` means is never guessed. No amount is negative. Every error
// begins with the text that was read, and its second line says what to write instead:
//
//	d, err := quantity.Duration("5")
//	// "5": a length of time needs a unit
//	// hint: write 5s, 500ms, 2m, 1m30s, or 5 seconds
//
// The package owns nothing and imports nothing of ours.
package quantity
