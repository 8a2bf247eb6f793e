/** Products of matrices of reals on a device, by kernels or by cuBLASLt. */
package org.ivit.train.device.product;
