// SPDX-License-Identifier: MIT
// Ask PORT N - Java's HttpClient, N requests at once.
import java.net.URI;
import java.net.http.*;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.CompletableFuture;

class Ask {
	static String told(HttpResponse<String> response, Throwable error) {
		if (response != null)
			return "answered";
		while (error.getCause() != null)
			error = error.getCause();
		return error.getClass().getSimpleName() +
			(error.getMessage() == null ? "" : " " + error.getMessage());
	}

	public static void main(String[] args) {
		var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1)
			.connectTimeout(Duration.ofSeconds(2)).build();
		var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + args[0] + "/"))
			.timeout(Duration.ofSeconds(3)).build();
		var asked = new ArrayList<CompletableFuture<String>>();
		for (int i = 0; i < Integer.parseInt(args[1]); i++)
			asked.add(client.sendAsync(request, HttpResponse.BodyHandlers.ofString())
				.handle(Ask::told));
		var words = new TreeMap<String, Integer>();
		for (var one : asked)
			words.merge(one.join(), 1, Integer::sum);
		var list = new ArrayList<String>();
		words.forEach((word, n) -> list.add(n + " " + word));
		System.out.println(String.join(", ", list));
		System.exit(0);
	}
}
