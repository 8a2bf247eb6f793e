/** What tests of several modules share. */
package org.ivit.core.testing;
