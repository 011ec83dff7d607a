package main

import (
	"fmt"
	"sync"
	"time"
)

// order is what somebody bought.
type order struct {
	ID   int    `json:"id"`
	Item string `json:"item"`
}

// shop stands for another system.
type shop struct {
	mu     sync.Mutex
	orders []order
}

func newShop() *shop {
	s := &shop{}
	s.buy("tea")
	return s
}

func (s *shop) buy(item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.orders = append(s.orders, order{len(s.orders) + 1, item})
}

// ordersAfter are the orders that came after the one with the id.
func (s *shop) ordersAfter(id int) []order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]order{}, s.orders[min(id, len(s.orders)):]...)
}

const (
	customerCount = 230
	customersPage = 100
)

// customers are those of a page, and whether there are more pages.
func (*shop) customers(page int) (names []string, more bool) {
	end := min((page+1)*customersPage, customerCount)
	for i := page * customersPage; i < end; i++ {
		names = append(names, fmt.Sprintf("customer %d", i+1))
	}
	return names, end < customerCount
}

func (s *shop) report(due time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%d orders until %s", len(s.orders), due.Format(time.DateOnly))
}
