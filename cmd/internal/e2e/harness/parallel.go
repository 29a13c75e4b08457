package harness

import (
	"slices"
	"sync"
)

// Median returns the median of one number or more.
func Median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// AtOnce calls do from n goroutines that start together.
func AtOnce[T any](n int, do func() T) []T {
	start := make(chan struct{})
	results := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = do()
		})
	}
	close(start)
	wg.Wait()
	return results
}
