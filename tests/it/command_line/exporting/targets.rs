//! Hosts that receive the key.

use super::{COMPLETE, command, complete, gateway, names, requested, text};

#[tokio::test(flavor = "multi_thread")]
async fn key_is_sent_to_the_configured_host_only() {
    let directory = tempfile::tempdir().unwrap();
    let output = directory.path().join("all.ndjson");
    let [own, foreign] = [gateway(vec![complete(COMPLETE); 40]).await, gateway(vec![complete(COMPLETE); 40]).await];
    let host = foreign.base_url.strip_prefix("http://").unwrap();
    let queries = [
        format!("//{host}/customers"),
        format!("///{host}/customers"),
        format!("/\\{host}/customers"),
        format!("\\\\{host}/customers"),
        format!("\\/{host}/customers"),
        format!("http://{host}/customers"),
        format!("HTTP://{host}/customers"),
        format!("http:{host}"),
        format!("http:/{host}"),
        format!("http:\\\\{host}/customers"),
        format!("/\t/{host}/customers"),
        format!("/\n/{host}/customers"),
        format!(" //{host}/customers"),
        format!("@{host}/customers"),
        format!("{host}/customers"),
        format!("user:password@{host}/customers"),
        "../customers".to_owned(),
        "/../customers".to_owned(),
        "/%2e%2e/customers".to_owned(),
    ];
    for query in &queries {
        let mut command = command(&["export", "--url", &own.base_url, "-o", output.to_str().unwrap(), query]);
        command.env("GATEWAY_KEY", "cgk_secret").env_remove("http_proxy");
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(!ended.status.success(), "{query}: {ended:?}");
        assert!(!text(&ended.stderr).contains("cgk_secret"));
        assert_eq!((foreign.connections(), own.connections()), (0, 0), "{query}");
        assert_eq!(names(directory.path()), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let foreign = gateway(vec![complete(COMPLETE)]).await;
    let moved = format!("location: {}/customers\r\n", foreign.base_url);
    for status in [301, 302, 303, 307, 308] {
        let own = gateway(vec![crate::support::Reply::with_headers(status, &moved, b"")]).await;
        let (succeeded, said) = super::export(&own, &directory.path().join("all.csv"), &[]).await;
        assert!(!succeeded && said.contains(&status.to_string()), "{said}");
    }
    assert_eq!(foreign.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn path_of_the_gateway_url_is_kept() {
    let own = gateway(vec![complete(COMPLETE); 2]).await;
    for prefix in ["/api", "/api/"] {
        let mut command = command(&["export", "-o", "-", "/customers?status=active"]);
        command.env("GATEWAY_URL", format!("{}{prefix}", own.base_url)).env("GATEWAY_KEY", "cgk_secret");
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
    assert_eq!(requested(&own), ["/api/customers?status=active"; 2]);
    let heads = own.heads();
    assert!(heads.iter().all(|head| head.contains("Bearer cgk_secret")), "{heads:?}");
}
