// Command crash is a service that ends right after its start, for testing what is said about that.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "no such table: orders")
	os.Exit(1)
}
