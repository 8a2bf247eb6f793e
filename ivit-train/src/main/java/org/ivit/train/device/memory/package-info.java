/** Memory of training on a device, and the copies between it and the host. */
package org.ivit.train.device.memory;
