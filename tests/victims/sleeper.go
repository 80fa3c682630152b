// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// A victim in Go: goroutines that wait for the ping, that compute, and that sit in blocking reads
// of pipes. Offsets: see victim.h.
package main

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

const (
	ready, ping, nThreads, tid, pong = 0, 4, 8, 108, 112
	workers                         = 8
)

func main() {
	page, err := syscall.Mmap(3, 0, 16384, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		os.Exit(1)
	}
	put := func(at int, v uint32) { atomic.StoreUint32((*uint32)(unsafe.Pointer(&page[at])), v) }
	turns := make([]chan int, workers)
	answers := make(chan int)
	pipes := make([][2]int, workers)
	for i := range turns {
		turns[i] = make(chan int)
		syscall.Pipe(pipes[i][:])
		go func(turn chan int, fd int) {
			b := make([]byte, 1)
			for v := range turn {
				// a blocking system call on a small stack
				if n, err := syscall.Read(fd, b); n != 1 || err != nil {
					os.Exit(2)
				}
				answers <- v
			}
		}(turns[i], pipes[i][0])
	}
	go func() {
		for sink := 0; ; sink++ {
			if sink%1000000 == 0 {
				syscall.Getpid()
			}
		}
	}()
	put(nThreads, 1)
	put(ping, 1)
	put(tid, uint32(os.Getpid()))
	put(pong, 1)
	put(ready, 1)
	round := uint32(1)
	b := make([]byte, 1)
	for _, turn := range turns {
		turn <- 1
	}
	for {
		if n, _ := syscall.Read(0, b); n != 1 {
			return
		}
		for i := range pipes {
			syscall.Write(pipes[i][1], b)
		}
		for range pipes {
			<-answers
		}
		round++
		put(pong, round)
		for _, turn := range turns {
			turn <- 1
		}
	}
}
