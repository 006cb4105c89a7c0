package main

import (
	"context"
	"fmt"

	"hakuban"
	"hakuban/transport"
)

// exposer produces the thermometer's states while somebody wants them.
func exposer(ctx context.Context, url string) error {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	connector, err := transport.Connect(x, url, &transport.Options{Name: "exposer"}) // tries until the router is there
	if err != nil {
		return err
	}
	defer connector.Close()

	receipts := x.ObserveObject(receipt)
	defer receipts.Close()
	expose := x.ExposeObject(thermometer)
	defer expose.Close()
	fmt.Println("waiting for somebody who wants the thermometer")
	sink, err := expose.Next(ctx)
	if err != nil {
		return err
	}
	defer sink.Release()
	seen, err := receipts.Next(ctx)
	if err != nil {
		return err
	}
	defer seen.Release()
	for _, r := range readings {
		fmt.Printf("sends reading %d: %v °C\n", r.Number, r.Celsius)
		if err := sink.Send(hakuban.NewState(r).EncodeJSON()); err != nil {
			return err
		}
		// Observers see the newest state; what is sent too fast for them they skip. Here each is to be seen.
		if err := awaitReceipt(ctx, seen, r.Number); err != nil {
			return err
		}
	}
	fmt.Println("all readings were seen")
	return nil
}

func awaitReceipt(ctx context.Context, seen *hakuban.Stream, number int) error {
	for {
		state, err := seen.Next(ctx)
		if err != nil {
			return fmt.Errorf("no receipt for reading %d: %w", number, err)
		}
		if got, err := hakuban.DecodeJSON[int](state); err != nil || got == number {
			return err
		}
	}
}
