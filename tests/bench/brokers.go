package main

import (
	"context"
	"log/slog"
	"strconv"
	"strings"

	"github.com/centrifugal/centrifuge-go"
	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/redis/go-redis/v9"
)

// channel names an object at a broker.
func channel(object int) string { return "bench/" + strconv.Itoa(object) }

// mosquitto is a peer of an MQTT broker. Messages are retained, so the broker has the newest state of each object.
type mosquitto struct{ mqtt.Client }

func connectMQTT(_ context.Context, url string) (peer, error) {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + url).SetClientID("").SetProtocolVersion(4).SetAutoReconnect(false))
	token := client.Connect()
	token.Wait()
	return mosquitto{client}, token.Error()
}

func (m mosquitto) observe(_ context.Context, object int, see func(data []byte)) error {
	token := m.Subscribe(channel(object), 0, func(_ mqtt.Client, message mqtt.Message) { see(message.Payload()) })
	token.Wait()
	return token.Error()
}

func (m mosquitto) expose(context.Context, ...int) (func(int, []byte) error, error) {
	return func(object int, data []byte) error { return m.Publish(channel(object), 0, true, data).Error() }, nil
}

func (m mosquitto) close() { m.Disconnect(0) }

// redisPeer publishes to channels of Redis, which keeps no state of them.
type redisPeer struct{ *redis.Client }

func connectRedis(_ context.Context, url string) (peer, error) {
	return redisPeer{redis.NewClient(&redis.Options{Addr: url, PoolSize: 1, MinIdleConns: 1})}, nil
}

func (r redisPeer) observe(ctx context.Context, object int, see func(data []byte)) error {
	subscription := r.Subscribe(ctx, channel(object))
	if _, err := subscription.Receive(ctx); err != nil {
		return err
	}
	go func() {
		for message := range subscription.Channel(redis.WithChannelSize(10_000)) {
			see([]byte(message.Payload))
		}
	}()
	context.AfterFunc(ctx, func() { _ = subscription.Close() })
	return nil
}

func (r redisPeer) expose(ctx context.Context, _ ...int) (func(int, []byte) error, error) {
	return func(object int, data []byte) error { return r.Publish(ctx, channel(object), data).Err() }, nil
}

func (r redisPeer) close() { _ = r.Client.Close() }

// centrifugePeer is a client of the centrifuge library, in its binary protocol. The server keeps no state.
type centrifugePeer struct{ *centrifuge.Client }

func connectCentrifuge(_ context.Context, url string) (peer, error) {
	client := centrifuge.NewProtobufClient(strings.TrimSuffix(url, "/")+"?format=protobuf", centrifuge.Config{})
	return centrifugePeer{client}, client.Connect()
}

func (c centrifugePeer) observe(_ context.Context, object int, see func(data []byte)) error {
	subscription, err := c.NewSubscription(channel(object))
	if err != nil {
		return err
	}
	subscribed := make(chan struct{}, 1)
	subscription.OnSubscribed(func(centrifuge.SubscribedEvent) { subscribed <- struct{}{} })
	subscription.OnPublication(func(e centrifuge.PublicationEvent) { see(e.Data) })
	subscription.OnError(func(e centrifuge.SubscriptionErrorEvent) { slog.Warn("centrifuge", "error", e.Error) })
	if err := subscription.Subscribe(); err != nil {
		return err
	}
	<-subscribed
	return nil
}

func (c centrifugePeer) expose(ctx context.Context, _ ...int) (func(int, []byte) error, error) {
	return func(object int, data []byte) error {
		_, err := c.Publish(ctx, channel(object), data)
		return err
	}, nil
}

func (c centrifugePeer) close() { c.Client.Close() }
