package org.ivit.serve.http;

import java.io.EOFException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Reads bodies of requests, each byte once, into arrays that are used again: garbage of their size
 * would cost the collector more than all else that a request leaves.
 */
final class Bodies {
  /** Lengths of arrays are multiples of it, so that one serves bodies of many lengths. */
  private static final int STEP = 4096;

  private static final int FIRST = 16 * 1024;

  private final int most;
  private final long mostKept;
  private final Deque<byte[]> kept = new ArrayDeque<>();
  private long keptBytes;

  /**
   * @param most bytes of a body
   * @param mostKept bytes of the arrays that wait for another body
   */
  Bodies(int most, long mostKept) {
    this.most = most;
    this.mostKept = mostKept;
  }

  /**
   * Reads a body.
   *
   * @param length that it says it has, not more than a body may have; -1 where it says none
   * @return fails with an {@link HttpFailure} 413 if it is too long, 400 if it ends early
   */
  CompletableFuture<Body> read(Content.Source source, long length) {
    Reader reader = new Reader(source, length < 0 ? new byte[FIRST] : take((int) length));
    reader.run();
    return reader.body;
  }

  private synchronized byte[] take(int length) {
    for (Iterator<byte[]> each = kept.iterator(); each.hasNext(); ) {
      byte[] array = each.next();
      if (array.length >= length && array.length - length <= Math.max(STEP, length / 4)) {
        each.remove();
        keptBytes -= array.length;
        return array;
      }
    }
    return new byte[length / STEP * STEP + STEP];
  }

  /** Keeps the array of a body for another: nobody reads this one any more. */
  synchronized void recycle(Body body) {
    byte[] array = body.bytes();
    if (array.length > mostKept) {
      return;
    }
    kept.addFirst(array);
    keptBytes += array.length;
    while (keptBytes > mostKept) {
      keptBytes -= kept.removeLast().length;
    }
  }

  /** Takes what has come, and waits for more, without a thread. */
  private final class Reader implements Invocable.Task {
    private final Content.Source source;
    private final CompletableFuture<Body> body = new CompletableFuture<>();
    private byte[] bytes;
    private int length;

    Reader(Content.Source source, byte[] bytes) {
      this.source = source;
      this.bytes = bytes;
    }

    @Override
    public InvocationType getInvocationType() {
      return InvocationType.NON_BLOCKING;
    }

    @Override
    public void run() {
      try {
        for (boolean last = false; !last; ) {
          Content.Chunk chunk = source.read();
          if (chunk == null) {
            source.demand(this);
            return;
          }
          if (Content.Chunk.isFailure(chunk)) {
            throw new EOFException();
          }
          last = chunk.isLast();
          try {
            append(chunk.getByteBuffer());
          } finally {
            chunk.release();
          }
        }
        body.complete(new Body(bytes, length));
      } catch (EOFException e) {
        body.completeExceptionally(HttpFailure.of(400, "the request did not arrive whole"));
      } catch (RuntimeException | Error e) {
        source.fail(e);
        body.completeExceptionally(e);
      }
    }

    private void append(ByteBuffer chunk) {
      int more = chunk.remaining();
      if (more > most - length) {
        throw Exchange.tooLong(most);
      }
      if (more > bytes.length - length) {
        bytes = Arrays.copyOf(bytes, (int) Math.min(most, Math.max(length + more, 2L * length)));
      }
      chunk.get(bytes, length, more);
      length += more;
    }
  }
}
