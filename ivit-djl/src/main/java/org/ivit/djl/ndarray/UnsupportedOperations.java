package org.ivit.djl.ndarray;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.Buffer;

/**
 * Stands where DJL's adapter looks for another engine to do what an array does not do itself, and
 * refuses it by name.
 */
final class UnsupportedOperations {
  private static final NDArray ARRAY =
      proxy(
          NDArray.class,
          (proxy, method, arguments) -> {
            boolean filled =
                method.getName().equals("set")
                    && method.getParameterCount() == 1
                    && method.getParameterTypes()[0] == Buffer.class;
            if (filled || method.getName().equals("close")) {
              return null;
            }
            throw unsupported(method.getName());
          });

  /** Makes such an array of any array. */
  static final NDManager MANAGER =
      proxy(
          NDManager.class,
          (proxy, method, arguments) -> {
            if (method.getName().equals("from")) {
              return ARRAY;
            }
            throw unsupported(method.getName());
          });

  private UnsupportedOperations() {}

  /** What is thrown for an operation of that name, and more words about it. */
  static UnsupportedOperationException unsupported(String operation) {
    return new UnsupportedOperationException(
        operation
            + ": not an operation of the engine "
            + IvitNDManager.ENGINE_NAME
            + ", which has those that pictures need");
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
