// Package embedding is the code of the guide on embedding: what the guide shows is compiled
// and tested here.
package embedding
