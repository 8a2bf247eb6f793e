package org.ivit.core.engine.cuda;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import org.ivit.core.cuda.Device;
import org.ivit.core.cuda.Launch;

/**
 * A device that says to have another number of multiprocessors, so that launches take other tiles,
 * and notes the kernels that run.
 */
final class CheckedDevice implements InvocationHandler {
  private final Device device;
  private final int multiprocessors;
  private final Set<String> kernels;

  private CheckedDevice(Device device, int multiprocessors, Set<String> kernels) {
    this.device = device;
    this.multiprocessors = multiprocessors;
    this.kernels = kernels;
  }

  /**
   * @param device what computes; closed with the answer
   * @param multiprocessors that it says to have; 0 for its own
   * @param kernels receives names
   */
  static Device of(Device device, int multiprocessors, Set<String> kernels) {
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            new CheckedDevice(device, multiprocessors, kernels));
  }

  @Override
  public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
    switch (method.getName()) {
      case "multiprocessors" -> {
        if (multiprocessors > 0) {
          return multiprocessors;
        }
      }
      case "launch" -> kernels.add(((Launch) arguments[0]).kernel());
      case "record" ->
          ((List<?>) arguments[0]).forEach(launch -> kernels.add(((Launch) launch).kernel()));
      default -> {
        // Neither sizes nor kernels.
      }
    }
    try {
      return method.invoke(device, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
