package main

import (
	"context"
	"fmt"

	"hakuban"
	"hakuban/transport"
)

// observer shows the thermometer's states, until they are all there and their exposer has gone.
func observer(ctx context.Context, url string) error {
	x := hakuban.NewExchange(nil)
	defer x.Close()
	connector, err := transport.Connect(x, url, &transport.Options{Name: "observer"})
	if err != nil {
		return err
	}
	defer connector.Close()

	receipts := x.ExposeObject(receipt)
	defer receipts.Close()
	observe := x.ObserveObject(thermometer)
	defer observe.Close()
	stream, err := observe.Next(ctx) // at once: the object lives, if only for us
	if err != nil {
		return err
	}
	defer stream.Release()
	fmt.Println("waiting for readings")
	arrived := 0
	for {
		state, err := stream.Next(ctx)
		if err != nil {
			return fmt.Errorf("%d of %d readings arrived: %w", arrived, len(readings), err)
		}
		got, err := hakuban.DecodeJSON[reading](state)
		switch {
		case err != nil:
			return err
		case arrived < len(readings) && got == readings[arrived]:
			arrived++
			fmt.Printf("sees reading %d: %v °C, synchronized %v\n", got.Number, got.Celsius, state.Synchronized())
			if err := sendReceipt(ctx, receipts, got.Number); err != nil {
				return err
			}
		case arrived == 0 || got != readings[arrived-1]:
			return fmt.Errorf("reading %+v arrived after %d of %d", got, arrived, len(readings))
		case arrived == len(readings) && !state.Synchronized().Now():
			fmt.Printf("keeps reading %d, synchronized %v: the exposer has gone\n", got.Number, state.Synchronized())
			return nil
		}
	}
}

// sendReceipt takes the sink for one state: while the contract is the elected one it is given another.
func sendReceipt(ctx context.Context, receipts *hakuban.ExposeContract, number int) error {
	sink, err := receipts.Next(ctx)
	if err != nil {
		return fmt.Errorf("nobody wants receipts: %w", err)
	}
	defer sink.Release()
	return sink.Send(hakuban.NewState(number).EncodeJSON())
}
