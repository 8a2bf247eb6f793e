/** Writing files and folders so that a crash or a full disk never leaves half of one. */
package org.ivit.core.io;
