//go:build linux

// Package delay is what tests/perturb puts calls of between statements.
package delay

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Variable is the name of the variable of the environment whose number chooses the slow statements. Without it none is slow.
const Variable = "HAKUBAN_PERTURB"

// Of the statements, one in slow is slow: the first times it comes, up to often of them, it takes up to short. One of rare slow ones
// comes to seldom delays at most, of up to long.
const (
	slow   = 30
	often  = 40
	short  = 20 * time.Millisecond
	rare   = 5
	seldom = 5
	long   = 300 * time.Millisecond
)

type statement struct {
	left   atomic.Int32 // delays
	length time.Duration
}

var statements = sync.OnceValue(func() []statement {
	text := os.Getenv(Variable)
	if text == "" {
		return nil
	}
	choice, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%s: a number was expected: %v", Variable, err))
	}
	random := rand.New(rand.NewPCG(choice, 0))
	list := make([]statement, 1<<14) // more than there are
	for i := range list {
		times, most := random.Int32N(often), short
		if random.IntN(rare) == 0 {
			times, most = random.Int32N(seldom), long
		}
		length := time.Duration(random.Int64N(int64(most)))
		if random.IntN(slow) == 0 {
			list[i].length = length
			list[i].left.Store(1 + times)
		}
	}
	return list
})

// At delays the goroutine if the statement that it stands before is a slow one.
func At(number int) {
	list := statements()
	if list == nil {
		return
	}
	s := &list[number%len(list)]
	if s.left.Load() > 0 && s.left.Add(-1) >= 0 {
		// Not time.Sleep: in a bubble of testing/synctest time would stand still while another goroutine waits for a lock of ours.
		pause := syscall.NsecToTimespec(s.length.Nanoseconds())
		for errors.Is(syscall.Nanosleep(&pause, &pause), syscall.EINTR) {
			continue // with what is left
		}
	}
}
