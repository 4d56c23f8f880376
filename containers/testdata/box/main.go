// Command box does what tests of containers ask for: its first argument says
// what.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	args := append(os.Args[1:], "", "")
	switch args[0] {
	case "sleep":
		fmt.Println("up")
		time.Sleep(time.Hour)
	case "say": // say OUT ERR
		fmt.Println(args[1])
		fmt.Fprintln(os.Stderr, args[2])
	case "exit":
		code, _ := strconv.Atoi(args[1])
		os.Exit(code)
	case "term": // ends with code 7 on SIGTERM
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("up")
		<-c
		fmt.Println("terminated")
		os.Exit(7)
	case "ticks": // a line every 5 ms
		for i := 0; ; i++ {
			fmt.Println("tick", i)
			time.Sleep(5 * time.Millisecond)
		}
	case "eat": // 4 MiB every 5 ms, touched
		var all [][]byte
		for {
			b := make([]byte, 4<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
			fmt.Println("ate", len(all)*4, "MiB")
			time.Sleep(5 * time.Millisecond)
		}
	case "write": // write FILE TEXT
		try(os.WriteFile(args[1], []byte(args[2]), 0o644))
	case "fill": // fill FILE: writes until nothing goes into it any more, then sleeps
		f, err := os.Create(args[1])
		try(err)
		for n := 0; ; n++ {
			if _, err := f.Write(make([]byte, 1<<20)); err != nil {
				fmt.Println("full after", n, "MiB:", err)
				time.Sleep(time.Hour)
			}
		}
	case "cat":
		text, err := os.ReadFile(args[1])
		try(err)
		os.Stdout.Write(text)
	case "copy": // standard input to standard output
		_, err := io.Copy(os.Stdout, os.Stdin)
		try(err)
	case "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "host":
		name, err := os.Hostname()
		try(err)
		fmt.Println(name)
	case "id":
		u := user.User{Uid: strconv.Itoa(os.Getuid()), Gid: strconv.Itoa(os.Getgid())}
		fmt.Println(u.Uid, u.Gid)
	case "links":
		links, err := net.Interfaces()
		try(err)
		for _, l := range links {
			fmt.Println(l.Name)
		}
	case "raw": // tries what the fixed capabilities forbid
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
		fmt.Println("raw socket:", fd >= 0, err)
		tv := syscall.Timeval{Sec: time.Now().Unix()}
		fmt.Println("set clock:", syscall.Settimeofday(&tv))
	default:
		fmt.Fprintln(os.Stderr, "box: what is", args[0])
		os.Exit(2)
	}
}

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
