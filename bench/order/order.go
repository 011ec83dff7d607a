// Package order makes the JSON document that every row of the benchmark sends.
package order

import "strings"

// Size is the length of the document in bytes.
const Size = 1024

const document = `{"id":"ord_01HV7Z3K9Q4M2N8P","event":"order.created","createdAt":"2026-03-14T09:26:53.589Z",` +
	`"currency":"EUR","total":412.35,"paid":true,"coupon":null,"customer":{"id":"cus_8842071","name":"Zoë Lindqvist",` +
	`"email":"zoe.lindqvist@example.com","address":{"street":"Långgatan 14 \"B\"","city":"Göteborg",` +
	`"postalCode":"413 03","country":"SE"}},"lines":[` +
	`{"sku":"SKU-1009","name":"Gate valve DN15","quantity":1,"price":19.9},` +
	`{"sku":"SKU-2018","name":"Gate valve DN20","quantity":2,"price":23.15},` +
	`{"sku":"SKU-3027","name":"Gate valve DN25","quantity":3,"price":26.4},` +
	`{"sku":"SKU-4036","name":"Ball valve DN15","quantity":4,"price":29.65},` +
	`{"sku":"SKU-5045","name":"Ball valve DN20","quantity":5,"price":32.9}],` +
	`"tags":["web","priority","gift"],"note":"`

const end = `"}`

// Document returns an order as a shop would send it, always the same and Size bytes long: the note fills what the rest
// leaves.
func Document() []byte {
	note := strings.Repeat("Ring twice. ", Size)[:Size-len(document)-len(end)]
	return []byte(document + note + end)
}
