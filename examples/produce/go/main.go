// Command produce puts activities into Kafka without ingest: one activity as JSON on each line of standard input.
// docs/produce-from-kafka.md is the contract.
//
//	go run . 127.0.0.1:9092 activities demo < activities.ndjson
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const lineMax = 64 * 1024

type activity struct {
	ID        string `json:"id"`
	Actor     string `json:"actor"`
	Published string `json:"published"`
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}

// record makes a CloudEvent in binary mode. Who sends an activity again sends the same id, source and time, and nothing
// is doubled.
func record(line []byte, topic, tenant string) (*kgo.Record, error) {
	var a activity
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, err
	}
	header := func(name, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: name, Value: []byte(value)} }
	return &kgo.Record{
		Topic: topic,
		Key:   []byte(tenant + "/" + a.Actor),
		Value: append([]byte(nil), line...),
		Headers: []kgo.RecordHeader{
			header("ce_specversion", "1.0"),
			header("ce_type", "feedwire.activity.v1"),
			header("ce_source", "/examples/go"),
			header("ce_id", orElse(a.ID, newID())),
			header("ce_time", orElse(a.Published, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))),
			header("ce_tenant", tenant),
			header("content-type", "application/json"),
		},
	}, nil
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: produce BROKERS TOPIC TENANT < activities.ndjson")
	}
	topic, tenant := os.Args[2], os.Args[3]
	// Its defaults are what is needed: idempotent, acks=all, and a key goes to the partition that Java's client chooses.
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(os.Args[1], ",")...))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineMax)
	failed := make(chan error, 1)
	for lines.Scan() {
		r, err := record(lines.Bytes(), topic, tenant)
		if err != nil {
			log.Fatal(err)
		}
		client.Produce(context.Background(), r, func(r *kgo.Record, err error) {
			if err == nil {
				fmt.Printf("{\"key\": %q, \"partition\": %d, \"offset\": %d}\n", r.Key, r.Partition, r.Offset)
				return
			}
			select {
			case failed <- err:
			default:
			}
		})
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	if err := client.Flush(context.Background()); err != nil {
		log.Fatal(err)
	}
	select {
	case err := <-failed:
		log.Fatalf("not acknowledged: %v", err)
	default:
	}
}
