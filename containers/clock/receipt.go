package clock

import "time"

// Receipt says what was done to the node, since New. Calls are not counted: the
// patch lies in memory that the program itself cannot write.
type Receipt struct {
	Processes int           // whose clock was changed, those started later included
	Started   int           // of these, programs that were started while the clock was wrong
	Uncovered []string      // started later and left alone: "pid 77 (prog): why"
	Effect    time.Duration // from the last Set's call to its effect in the last process that ran then
	Changes   int           // how often the clock was set, or set right
}

// Receipt returns the counts so far.
func (c *Clock) Receipt() Receipt {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.receipt
	r.Uncovered = append([]string(nil), r.Uncovered...)
	return r
}
