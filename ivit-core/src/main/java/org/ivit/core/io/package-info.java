/** Files that are written whole or not at all, and digests of files. */
package org.ivit.core.io;
