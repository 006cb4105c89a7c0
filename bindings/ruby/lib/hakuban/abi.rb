require "ffi"

module Hakuban
  # Something the library refused. +status+ is its number in hakuban.h.
  class Error < StandardError
    attr_reader :status

    def initialize(text, status = nil)
      super(text)
      @status = status
    end
  end

  class InvalidTextError < Error; end # a text is not UTF-8
  class InvalidNameError < Error; end # a value does not name an object or a tag
  class InvalidURLError < Error; end # a URL, or a parameter in its fragment, is none that can be used
  class ForkedError < Error; end # the process is a fork of one that had loaded the library
  class ClosedError < Error; end # the exchange, or what was used, was closed
  class RevokedError < Error; end # the sink has ended
  class StaleError < Error; end # the state's version is not greater than that of the newest state known
  class TooLargeError < Error; end # a limit was exceeded
  class HasUpstreamError < Error; end # the exchange has a connector already
  class FailedError < Error; end # the system refused, for example to listen on an address
  class TimeoutError < Error; end # nothing came in time

  # The C interface of libhakuban, as hakuban.h documents it.
  module ABI
    extend FFI::Library

    beside = File.join(__dir__, "libhakuban.so")
    ffi_lib ENV["HAKUBAN_LIBRARY"] || (File.exist?(beside) ? beside : "libhakuban.so")

    OK, POINTER, PENDING, END_OF_STREAM = 0, 1, 2, 3

    ERRORS = {
      3 => RevokedError, 4 => InvalidTextError, 5 => InvalidNameError, 6 => InvalidURLError, 64 => ClosedError, 66 => ForkedError,
      68 => ClosedError, 69 => StaleError, 70 => TooLargeError, 71 => HasUpstreamError, 72 => FailedError
    }.freeze

    class Result < FFI::Struct
      layout :status, :uint8, :pointer, :pointer
    end

    class BorrowedArray < FFI::Struct
      layout :length, :size_t, :pointer, :pointer
    end

    class LinkState < FFI::Struct
      layout :connected, :uint8, :link, :uint64
    end

    callback :log_callback, [:pointer, :uint8, :string], :void

    # What blocks lets Ruby's other threads run.
    {
      abi_version: [[], :uint32], last_error: [[], :string],
      future_await_timeout: [[:pointer, :uint64], Result.by_value], future_descriptor: [[:pointer], :int],
      exchange_close: [[:pointer], :uint8], object_state_sink_send: [[:pointer, :pointer], :uint8],
      object_expose_contract_set_capacity: [[:pointer, :uint32], :uint8], tag_expose_contract_set_capacity: [[:pointer, :uint32], :uint8],
      websocket_connector_state: [[:pointer, :pointer], :uint8], websocket_connector_changed: [[:pointer, :uint64], :pointer],
      websocket_listener_new: [[:pointer, :pointer, :string], Result.by_value], websocket_listener_url: [[:pointer], :string]
    }.each { |name, (arguments, result)| attach_function name, :"hakuban_go_#{name}", arguments, result }
    attach_function :websocket_listener_drop, :hakuban_go_websocket_listener_drop, [:pointer], :void, blocking: true
    attach_function :websocket_connector_upstream_name, :hakuban_go_websocket_connector_upstream_name, [:pointer], BorrowedArray.by_value
    attach_function :log_to, :hakuban_go_log_to, [:uint8, :log_callback, :pointer], :uint8, blocking: true

    {
      exchange_new: [[], Result.by_value], tokio_init_multi_thread: [[:size_t], :pointer], array_drop: [[BorrowedArray.by_value], :void],
      tokio_websocket_connector_new: [[:pointer, :pointer, :string], Result.by_value],
      tag_descriptor_new: [[:string], Result.by_value], object_descriptor_new: [[:string, :size_t, :pointer], Result.by_value],
      object_descriptor_tags: [[:pointer], BorrowedArray.by_value],
      object_state_new: [[:size_t, :pointer, :size_t, :pointer, :size_t, :pointer, :uint64], Result.by_value],
      object_state_data: [[:pointer], BorrowedArray.by_value], object_state_format: [[:pointer], BorrowedArray.by_value],
      object_state_version: [[:pointer], BorrowedArray.by_value], object_state_synchronized_ago: [[:pointer], :uint64]
    }.each { |name, (arguments, result)| attach_function name, :"hakuban_#{name}", arguments, result }
    attach_function :tokio_websocket_connector_drop, :hakuban_tokio_websocket_connector_drop, [:pointer], :void, blocking: true

    %i[tag_descriptor object_descriptor].each do |name|
      attach_function :"#{name}_json", :"hakuban_#{name}_json", [:pointer], :string
    end
    %i[object tag].each do |kind|
      attach_function :"#{kind}_observe_contract_new", :"hakuban_#{kind}_observe_contract_new", [:pointer, :pointer], :pointer
      attach_function :"#{kind}_expose_contract_new", :"hakuban_#{kind}_expose_contract_new", [:pointer, :pointer, :uint32], :pointer
    end
    nexts = %i[object_observe_contract tag_observe_contract object_expose_contract tag_expose_contract object_state_stream object_state_sink]
    nexts.each { |name| attach_function :"#{name}_next", :"hakuban_#{name}_next", [:pointer], :pointer }
    %i[object_state_stream object_state_sink].each do |name|
      attach_function :"#{name}_descriptor", :"hakuban_#{name}_descriptor", [:pointer], :pointer
    end
    (nexts + %i[exchange future tag_descriptor object_descriptor object_state object_state_sink_params]).each do |name|
      attach_function :"#{name}_drop", :"hakuban_#{name}_drop", [:pointer], :void
    end

    raise LoadError, "libhakuban is older than this gem" if abi_version < 2

    module_function

    # The error of a status, with the library's words.
    def error(status)
      text = status == END_OF_STREAM ? "it has ended" : last_error
      ERRORS.fetch(status, Error).new(text, status)
    end

    # Raises the error of a status that is one.
    def check(status)
      raise error(status) unless status == OK
    end

    # The handle of a result that must have one.
    def pointer_of(result)
      raise error(result[:status]) unless result[:status] == POINTER
      result[:pointer]
    end

    # A handle that a function returns alone.
    def not_null(pointer)
      return pointer unless pointer.null?
      raise (last_error.include?("forked") ? ForkedError : ClosedError).new(last_error)
    end

    # A text for C.
    def text(value, error_class)
      value = value.encode(Encoding::UTF_8)
      raise error_class.new("a NUL character") if value.include?("\0")
      value
    rescue EncodingError, ArgumentError => reason
      raise error_class.new(reason.message)
    end

    # Yields handles, and drops them.
    def dropping(handles, drop)
      yield handles
    ensure
      handles.each { |handle| send(drop, handle) }
    end
  end
end
